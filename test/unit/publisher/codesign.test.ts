import { afterAll, describe, expect, it } from 'vitest';
import { signerOf } from '../../../src/publisher/codesign.ts';
import type { RunResult } from '../../../src/system/edges.ts';
import { fakeEdges, removeFakeRoots } from '../../support/fake-edges.ts';

afterAll(removeFakeRoots);

/** What `codesign -dvv` of macOS prints, to standard error. */
const CHROME = `Executable=/Applications/Google Chrome.app/Contents/MacOS/Google Chrome
Identifier=com.google.Chrome
Format=app bundle with Mach-O universal (x86_64 arm64)
CodeDirectory v=20500 size=1777 flags=0x12a00(kill,restrict,library-validation,runtime) hashes=44+7 location=embedded
Signature size=8989
Authority=Developer ID Application: Google LLC (EQHXZ8M8AV)
Authority=Developer ID Certification Authority
Authority=Apple Root CA
Timestamp=Nov 13, 2025 at 11:11:11
Info.plist entries=43
TeamIdentifier=EQHXZ8M8AV
Runtime Version=14.0.0
Sealed Resources version=2 rules=13 files=63
Internal requirements count=1 size=288
`;
const TEXTEDIT = `Executable=/System/Applications/TextEdit.app/Contents/MacOS/TextEdit
Identifier=com.apple.TextEdit
Format=app bundle with Mach-O universal (x86_64 arm64e)
CodeDirectory v=20400 size=1899 flags=0x0(none) hashes=49+7 location=embedded
Platform identifier=13
Signature size=4442
Authority=Software Signing
Authority=Apple Code Signing Certification Authority
Authority=Apple Root CA
Signed Time=Jul 31, 2021 at 08:16:31
Info.plist entries=34
TeamIdentifier=not set
Sealed Resources version=2 rules=2 files=0
Internal requirements count=1 size=68
`;
const ADHOC = `Executable=/private/tmp/a.out
Identifier=a.out
Format=Mach-O thin (arm64)
CodeDirectory v=20400 size=510 flags=0x20002(adhoc,linker-signed) hashes=13+0 location=embedded
Signature=adhoc
Info.plist=not bound
TeamIdentifier=not set
Sealed Resources=none
Internal requirements=none
`;
const STORE = `Executable=/x
Identifier=com.example.storeapp
Authority=Apple Mac OS Application Signing
Authority=Apple Worldwide Developer Relations Certification Authority
Authority=Apple Root CA
TeamIdentifier=ABCDE12345
`;
const TEAM = (team: string) =>
  `=anchor apple generic and (certificate leaf[subject.OU] = "${team}" or certificate leaf[field.1.2.840.113635.100.6.1.9] exists)`;

async function signer(path: string, shown: Partial<RunResult>, requirement = '', verified: Partial<RunResult> = {}) {
  const edges = fakeEdges({
    platform: 'darwin',
    programs: {
      [`codesign --display -vv ${path}`]: shown,
      [`codesign --verify --ignore-resources -R ${requirement} ${path}`]: verified,
    },
  });
  return { publisher: await signerOf(edges, path), ran: edges.ran };
}

describe('codesign', () => {
  it('names the team that Apple vouches for', async () => {
    const { publisher, ran } = await signer('/a b', { stderr: CHROME }, TEAM('EQHXZ8M8AV'));
    expect(publisher).toMatchObject({ kind: 'signed', name: 'Google LLC', by: 'EQHXZ8M8AV', source: 'codesign', note: null });
    expect(ran).toEqual([
      '/usr/bin/codesign --display -vv /a b',
      `/usr/bin/codesign --verify --ignore-resources -R ${TEAM('EQHXZ8M8AV')} /a b`,
    ]);
  });

  it('marks Apple’s own, if Apple’s root says so', async () => {
    expect((await signer('/x', { stderr: TEXTEDIT }, '=anchor apple')).publisher).toMatchObject({ kind: 'apple', name: 'Apple' });
    const forged = await signer('/x', { stderr: TEXTEDIT }, '=anchor apple', {
      status: 3,
      stderr: 'test-requirement: code failed to satisfy specified code requirement(s)\n',
    });
    expect(forged.publisher).toMatchObject({
      kind: 'untrusted',
      name: null,
      note: "it says Apple, for whom Apple doesn't vouch",
    });
  });

  it('believes no name that anybody could have written', async () => {
    const failed = { status: 3, stderr: 'test-requirement: code failed to satisfy specified code requirement(s)\n' };
    expect((await signer('/x', { stderr: CHROME }, TEAM('EQHXZ8M8AV'), failed)).publisher).toMatchObject({
      kind: 'untrusted',
      name: null,
      by: null,
      note: "it says Google LLC, for whom Apple doesn't vouch",
    });
    const own = CHROME.replace(/^TeamIdentifier=.*$/m, 'TeamIdentifier=" or true or "').replace(
      /Developer ID Application: Google LLC \(EQHXZ8M8AV\)/,
      'Mine\u001b[2J',
    );
    const mine = await signer('/x', { stderr: own }, '=anchor apple generic', failed);
    expect(mine.publisher).toMatchObject({ kind: 'untrusted', note: "it says Mine[2J, for whom Apple doesn't vouch" });
    expect(mine.ran[1]).toContain('-R =anchor apple generic /x');
  });

  it('says why a signature is not valid', async () => {
    const broken = { status: 1, stderr: '/x: invalid signature (code or signature have been modified)\n' };
    expect((await signer('/x', { stderr: CHROME }, TEAM('EQHXZ8M8AV'), broken)).publisher).toMatchObject({
      kind: 'invalid',
      name: null,
      note: 'invalid signature (code or signature have been modified)',
    });
  });

  it('tells ad hoc, unsigned and store apps apart, and names Homebrew’s', async () => {
    expect((await signer('/x', { stderr: ADHOC })).publisher).toMatchObject({ kind: 'adhoc', name: null, note: null });
    expect((await signer('/opt/homebrew/Cellar/wget/1.21.4/bin/wget', { stderr: ADHOC })).publisher).toMatchObject({
      kind: 'adhoc',
      note: 'built by homebrew: wget 1.21.4',
    });
    expect((await signer('/x', { status: 1, stderr: '/x: code object is not signed at all\n' })).publisher).toMatchObject({
      kind: 'unsigned',
    });
    expect((await signer('/x', { stderr: STORE }, TEAM('ABCDE12345'))).publisher).toMatchObject({
      kind: 'signed',
      name: 'App Store',
      by: 'ABCDE12345',
    });
  });

  it('is unknown with a reason where codesign fails', async () => {
    const note = async (shown: Partial<RunResult>) => (await signer('/x', shown)).publisher;
    expect(await note({ failure: 'ENOENT', status: null })).toMatchObject({
      kind: 'unknown',
      note: "codesign can't be run (ENOENT)",
    });
    expect(await note({ cut: 'time', status: null })).toMatchObject({ kind: 'unknown', note: 'codesign took too long' });
    expect(await note({ status: 1, stderr: '/x: No such file or directory\n' })).toMatchObject({
      kind: 'unknown',
      note: 'codesign: No such file or directory',
    });
    expect(await note({ status: 1, stderr: '' })).toMatchObject({ kind: 'unknown', note: 'codesign: it says nothing' });
  });
});
