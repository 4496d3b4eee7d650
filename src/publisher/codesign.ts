// Who signed an executable on a Mac. codesign shows what a signature claims, which anybody may write into one; then it says whether Apple vouches for
// that. Both runs read only the executable itself, not all that its bundle holds.

import type { Publisher } from '../model/terms.ts';
import { sanitize } from '../net/text.ts';
import type { Edges, RunResult } from '../system/edges.ts';
import { publisherByLayout, unknownPublisher } from './package-search.ts';

const LIMITS = { timeoutMs: 10_000, maxBytes: 64 << 10 };
const LONGEST = 128;
const TEAM = /^[A-Z0-9]{10}$/;
/** What verifying says of a signature that is right, but not by whom it should be (codesign(1)). */
const NOT_SATISFIED = 3;

/** What a signature claims. */
interface Claim {
  readonly kind: 'apple' | 'signed' | 'adhoc' | 'untrusted';
  readonly name: string | null;
  readonly team: string | null;
}

/** Asks codesign about an executable, twice at most. @param path absolute, so that it can't be an option */
export async function signerOf(edges: Edges, path: string): Promise<Publisher> {
  const codesign = (args: readonly string[]) => edges.run(edges.paths.codesign, [...args, path], LIMITS);
  const shown = await codesign(['--display', '-vv']);
  const failure = failureOf(shown);
  if (failure !== null) return unknownPublisher(failure);
  if (shown.status !== 0) {
    if (/code object is not signed at all/.test(shown.stderr)) return { ...NOBODY, kind: 'unsigned', note: builtBy(path) };
    return unknownPublisher(`codesign: ${lastLine(shown.stderr)}`);
  }
  const claim = claimOf(shown.stderr);
  if (claim.kind === 'adhoc') return { ...NOBODY, kind: 'adhoc', note: builtBy(path) };
  const verified = await codesign(['--verify', '--ignore-resources', '-R', `=${requirementOf(claim)}`]);
  const hitch = failureOf(verified);
  if (hitch !== null) return unknownPublisher(hitch);
  if (verified.status === NOT_SATISFIED) {
    const note =
      claim.name === null ? 'not signed by whom Apple vouches for' : `it says ${claim.name}, for whom Apple doesn't vouch`;
    return { ...NOBODY, kind: 'untrusted', note };
  }
  if (verified.status !== 0) return { ...NOBODY, kind: 'invalid', note: lastLine(verified.stderr) };
  return { ...NOBODY, kind: claim.kind === 'apple' ? 'apple' : 'signed', name: claim.name, by: claim.team };
}

const NOBODY = { name: null, version: null, by: null, source: 'codesign', note: null, digest: null } as const;

function failureOf({ failure, cut }: RunResult): string | null {
  if (failure !== null) return `codesign can't be run (${failure})`;
  return cut === null ? null : `codesign ${cut === 'time' ? 'took too long' : 'printed too much'}`;
}

/** Reads what `codesign -dvv` prints to standard error: lines of KEY=VALUE, the authorities from the signer's own up to the root. */
export function claimOf(text: string): Claim {
  const value = (key: string) => new RegExp(`^${key}=(.*)$`, 'm').exec(text)?.[1] ?? null;
  const authority = value('Authority');
  const team = value('TeamIdentifier');
  if (value('Signature') === 'adhoc' || authority === null) return { kind: 'adhoc', name: null, team: null };
  if (authority === 'Software Signing') return { kind: 'apple', name: 'Apple', team: null };
  const name = clean(authority.replace(/^(?:Developer ID Application|Apple Development|Apple Distribution|Mac Developer): /, ''));
  if (team === null || !TEAM.test(team)) return { kind: 'untrusted', name, team: null };
  // Apple signs what its store sells, whoever made it. Only the team says who that was.
  if (authority === 'Apple Mac OS Application Signing') return { kind: 'signed', name: 'App Store', team };
  return { kind: 'signed', name: name.replace(` (${team})`, ''), team };
}

/** In Apple's language of code requirements. The team is ten letters and digits. */
function requirementOf({ kind, team }: Claim): string {
  if (kind === 'apple') return 'anchor apple';
  if (team === null) return 'anchor apple generic';
  // The certificates that Apple signs store apps with have no team; the signature has.
  return `anchor apple generic and (certificate leaf[subject.OU] = "${team}" or certificate leaf[field.1.2.840.113635.100.6.1.9] exists)`;
}

/** Homebrew builds programs that nobody signs. */
function builtBy(path: string): string | null {
  const built = publisherByLayout(path);
  return built === null ? null : `built by ${built.source}: ${built.name} ${built.version ?? ''}`.trimEnd();
}

/** codesign begins each line with the path. */
function lastLine(text: string): string {
  const line = clean(text.trim().split('\n').at(-1) ?? '');
  return line.slice(line.lastIndexOf(': ') + 1).trim() || 'it says nothing';
}

function clean(text: string): string {
  return sanitize(text).slice(0, LONGEST);
}
