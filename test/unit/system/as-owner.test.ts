import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { writeSavedScreen } from '../../../src/app/saved-screen.ts';
import { OutputFile } from '../../../src/output/output-file.ts';
import { fileWork, isRootsAlone } from '../../../src/system/as-owner.ts';

const reason = process.platform === 'linux' && process.geteuid?.() === 0 ? null : 'needs root on Linux';
const OWNER = { uid: 4242, gid: 4243 };

describe("files of another user's", () => {
  let base = '';
  let theirs = '';
  let roots = '';

  beforeAll(() => {
    if (reason !== null) return;
    base = mkdtempSync(join(tmpdir(), 'netmon-as-owner-'));
    chmodSync(base, 0o755);
    theirs = join(base, 'theirs');
    roots = join(base, 'roots');
    for (const folder of [theirs, roots]) mkdirSync(folder);
    chownSync(theirs, OWNER.uid, OWNER.gid);
    symlinkSync(roots, join(theirs, 'link'));
    lchownSync(join(theirs, 'link'), OWNER.uid, OWNER.gid);
    symlinkSync(theirs, join(base, 'to-theirs'));
    symlinkSync(roots, join(base, 'to-roots'));
  });
  afterAll(() => {
    if (base !== '') rmSync(base, { recursive: true });
  });
  beforeEach(({ skip }) => {
    if (reason !== null) skip(`files of another user's: ${reason}`);
  });

  it('are in folders that only root can change, or not', () => {
    const folders = {
      '/': true,
      [roots]: true,
      [join(roots, 'missing')]: true,
      [join(base, 'to-roots')]: true,
      [tmpdir()]: false,
    };
    const shared = {
      [theirs]: false,
      [join(theirs, 'link')]: false,
      [join(base, 'to-theirs')]: false,
      [join(base, 'to-theirs/link')]: false,
    };
    for (const [folder, expected] of Object.entries({ ...folders, ...shared }))
      expect([folder, isRootsAlone(folder)]).toEqual([folder, expected]);
  });

  it('are created as that user: root follows no link into its own folder, and is root again afterwards', async () => {
    const inside = OutputFile.create(join(theirs, 'out.csv'), false, OWNER);
    await inside.commit();
    expect(statSync(join(theirs, 'out.csv'))).toMatchObject(OWNER);
    expect(() => OutputFile.create(join(theirs, 'link', 'out.csv'), false, OWNER)).toThrow('EACCES');
    expect(writeSavedScreen({}, { path: join(theirs, 'link', 'made', 'screen.json'), owner: OWNER })).toBe(false);
    expect(readdirSync(roots)).toEqual([]);
    writeFileSync(join(roots, 'own'), '');
    expect(statSync(join(roots, 'own'))).toMatchObject({ uid: 0, gid: 0 });
  });

  it('are renamed and removed as that user, too', async () => {
    const folder = join(theirs, 'folder');
    mkdirSync(folder);
    chownSync(folder, OWNER.uid, OWNER.gid);
    const file = OutputFile.create(join(folder, 'out.csv'), true, OWNER);
    const [part = ''] = readdirSync(folder);
    rmSync(folder, { recursive: true });
    symlinkSync(roots, folder);
    writeFileSync(join(roots, part), 'precious');
    writeFileSync(join(roots, 'out.csv'), 'precious');
    await expect(file.commit()).rejects.toThrow('EACCES');
    await file.discard();
    expect(readdirSync(roots).sort()).toEqual([part, 'out.csv', 'own'].sort());
  });

  it("in a folder of root's alone are made by root, and given to him", async () => {
    const file = OutputFile.create(join(roots, 'given.csv'), false, OWNER);
    await file.commit();
    expect(statSync(join(roots, 'given.csv'))).toMatchObject(OWNER);
  });

  it("of root's own are refused where another user could exchange a folder", () => {
    expect(() => fileWork(null, theirs)(() => 0)).toThrow('could put a link in its place');
    expect(fileWork(null, roots)(() => 1)).toBe(1);
    expect(fileWork(null, tmpdir())(() => 1)).toBe(1); // others add to it, and take nothing of root's away
  });
});
