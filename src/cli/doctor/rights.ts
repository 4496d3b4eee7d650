// The doctor's steps about privileges: what this process has, as which user a run would continue, what it would keep, and what giving that up
// would cost. They change nothing.

import { accessSync, constants, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { permissionHint } from '../../capture/errors.ts';
import { type Options, SANDBOX_ELSEWHERE } from '../../model/options.ts';
import { INSPECTING, maskOf, namesOf, REOPENING } from '../../privilege/capabilities.ts';
import { type Identity, identityOf, macAccount } from '../../system/accounts.ts';
import type { Edges } from '../../system/edges.ts';
import { ownFolder } from '../../system/own-files.ts';
import { readSystemFile } from '../../system/small-file.ts';
import { type Finding, no, ok, type Step, skipped } from './step.ts';

/** What the command line says about privileges. */
export type RightsAsked = Pick<Options, 'privileges'> & { readonly records: boolean };

const SHOWN = maskOf(['net_admin', 'net_raw', 'sys_ptrace', 'sys_admin', 'perfmon', 'bpf', 'dac_read_search']);
const NET_RAW = maskOf(REOPENING);

/** What this process may do, and what a run would. @param program folder whose files a run still reads after the drop; null for the executable, which reads none */
export function rightsSteps(edges: Edges, env: NodeJS.ProcessEnv, asked: RightsAsked, program = ownFolder()): Step[] {
  const isRoot = edges.euid() === 0;
  const isMac = edges.platform === 'darwin';
  const beside = (name: string) => readSystemFile(join(dirname(edges.paths.passwd), name)) ?? '';
  const identity = async () => {
    const { user, stayRoot } = asked.privileges;
    const texts = { passwd: `${beside('passwd')}\n${await macAccount(edges, user)}`, group: beside('group') };
    return identityOf({ euid: edges.euid(), env, user, stayRoot, records: asked.records, ...texts });
  };
  const held = () => capabilitiesOf(edges, 'CapPrm');
  return [
    { name: 'user', ask: () => (isRoot ? ok('root') : no('not root', permissionHint())) },
    isMac ? { name: '/dev/bpf0', ask: bpfDevice } : { name: 'capabilities', ask: () => capabilities(edges) },
    { name: 'goes on as', ask: async () => goesOnAs(await identity(), isMac, env) },
    { name: 'keeps', ask: async () => keeps(await identity(), isMac, held(), asked.privileges.dropAll) },
    { name: '--drop-all', ask: async () => costOf(await identity(), isMac, held()) },
    { name: '--sandbox', ask: () => sandboxOf(isMac, asked.privileges.sandbox) },
    { name: 'own files', ask: async () => ownFiles(await identity(), program) },
  ];
}

function goesOnAs({ by, name, uid, groups, note }: Identity, isMac: boolean, env: NodeJS.ProcessEnv): Finding {
  if (by === 'root') return ok(`root: ${note}`);
  if (by === 'self') return ok('the same user: there is no root to give up');
  if (!isMac && Number.parseInt(env['UV_USE_IO_URING'] ?? '', 10) > 0)
    return no("can't drop root while UV_USE_IO_URING is set", 'type: unset UV_USE_IO_URING');
  const reason = {
    sudo: 'who called sudo',
    user: 'as --user says',
    nobody: 'as nobody called sudo (to record history root stays root)',
  }[by];
  return ok(`${name} (${uid}), ${reason}; groups ${isMac ? 'as the directory tells' : groups.join(' ')}`);
}

function keeps({ by, note }: Identity, isMac: boolean, held: bigint | null, dropAll: boolean): Finding {
  if (by === 'root' && (isMac || note === '--stay-root')) return ok('all that root may');
  if (isMac) return ok(by === 'self' ? 'nothing' : 'nothing; a root child beside it runs tcpdump and lsof');
  if (held === null) return skipped('the system does not tell');
  const kept = namesOf(held & maskOf(dropAll ? REOPENING : [...REOPENING, ...INSPECTING]));
  const list = kept.length === 0 ? 'nothing' : kept.join(' ');
  if (by === 'root') return ok(`${list}; it still owns all that is root's own`);
  return ok(by === 'self' && kept.length > 0 ? `${list}; the threads that Node starts first keep all that the file gave` : list);
}

function costOf({ by, note }: Identity, isMac: boolean, held: bigint | null): Finding {
  if (isMac || (by === 'root' && note === '--stay-root')) return skipped('changes nothing here');
  if (((held ?? 0n) & maskOf(INSPECTING)) === 0n) return skipped(`changes nothing: ${INSPECTING.join(' and ')} are not held`);
  return ok(
    `would give up ${INSPECTING.join(' and ')}: eBPF still names owners, but paths of other users' programs stay unknown`,
  );
}

function sandboxOf(isMac: boolean, sandbox: boolean): Finding {
  if (!isMac) return sandbox ? no(...SANDBOX_ELSEWHERE) : skipped('is for macOS');
  return skipped(
    'not tried: what ps (paths, users and full names of processes), netstat, route, arp and ndp tell would be missing, and no Mac has run it',
  );
}

/** The threads of history load their code when they start, which is after the drop. */
function ownFiles(identity: Identity, program: string | null): Finding {
  if (program === null || identity.by === 'root' || identity.by === 'self') return ok('can be read');
  const closed = closedTo(identity, program);
  if (closed === null) return ok(`can be read by ${identity.name}`);
  const way = `open it: chmod o+rx ${closed}; or put the program where everybody may read it: npm install -g netmon-tui`;
  return no(`${identity.name} may not enter ${closed}: history can be neither recorded nor read`, way);
}

/** The outermost folder of a path that a user may not enter; null if all are open. */
function closedTo({ uid, groups }: Identity, path: string): string | null {
  const above = dirname(path);
  const outer = above === path ? null : closedTo({ uid, groups } as Identity, above);
  if (outer !== null) return outer;
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return null;
  const shift = stats.uid === uid ? 6 : groups.includes(stats.gid) ? 3 : 0;
  return ((stats.mode >> shift) & 1) === 0 ? path : null;
}

function bpfDevice(): Finding {
  try {
    accessSync('/dev/bpf0', constants.R_OK | constants.W_OK);
    return ok('may be opened');
  } catch (thrown) {
    return no(`may not be opened: ${(thrown as NodeJS.ErrnoException).code ?? 'unknown'}`, permissionHint());
  }
}

function capabilities(edges: Edges): Finding {
  const bits = capabilitiesOf(edges, 'CapEff');
  if (bits === null) return skipped('the system does not tell');
  const detail = (bits & SHOWN) === 0n ? 'none' : namesOf(bits & SHOWN).join(' ');
  return (bits & NET_RAW) !== 0n ? ok(detail) : no(`${detail}; capturing takes net_raw`, permissionHint());
}

function capabilitiesOf(edges: Edges, field: 'CapEff' | 'CapPrm'): bigint | null {
  const text = readSystemFile(`${edges.paths.proc}/self/status`) ?? '';
  const hex = new RegExp(`^${field}:\\s*([0-9a-f]{1,16})$`, 'm').exec(text)?.[1];
  return hex === undefined ? null : BigInt(`0x${hex}`);
}
