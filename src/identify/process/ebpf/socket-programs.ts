// The programs that make the kernel tell who owns a socket, and the layout of what they leave. Listings; loading is loader.ts.
//
// cgroup/sock_create runs in the process that makes a socket and writes its owner into the socket itself (socket storage): no table, no
// bound, no eviction, and an accepted socket inherits its listener's. connect4/6 and getpeername4/6 (the kernel asks the latter inside
// accept) run in the process that acts, so a socket that was inherited, passed on or older than this program gets its real owner then.
// sendmsg4/6 would tell more of inherited ones, but the kernel locks the socket for them: 9 % of an unconnected sender's time.
// cgroup/skb egress and ingress report each socket once, before its packet reaches the capture; a socket that is not connected is
// reported once for each remote end. A pid read in a packet program would be anybody's: there only the storage is read.

import { EbpfAssembler, HELPER, R } from './assembler.ts';
import { ATTACH, PROGRAM } from './bpf-calls.ts';

/**
 * The storage of a socket, 176 bytes:
 *
 *     0 tgid << 32 | tid | 8 gid << 32 | uid | 16 comm[16] | 32 cookie of its network namespace
 *     40 1 once it was reported while connected | 48 hashes of remote ends that were reported, u32[32]
 */
export const STORAGE_BYTES = 176;
const OWNER = 0;
const IDS = 8;
const COMM = 16;
const NAMESPACE = 32;
const REPORTED = 40;
const REMOTES = 48;
const REMOTE_SLOTS_SHIFT = 27; // the top 5 bits of a hash choose one of 32

/**
 * A report, 96 bytes:
 *
 *     0 cookie of the network namespace | 8 tgid << 32 | tid | 16 gid << 32 | uid | 24 comm[16] | 40 1 egress, 2 ingress | 44 version << 8 | protocol
 *     48 source port, destination port, as on the wire | 52 1 where the socket is connected | 56 source[16] | 72 destination[16] | 88 CLOCK_MONOTONIC in ns
 */
export const REPORT_BYTES = 96;
export const REPORT = {
  NAMESPACE: 0,
  OWNER: 8,
  IDS: 16,
  COMM: 24,
  WAY: 40,
  PROTOCOL: 44,
  PORTS: 48,
  CONNECTED: 52,
  SOURCE: 56,
  DESTINATION: 72,
  TIME: 88,
} as const;
export const WAY = { EGRESS: 1, INGRESS: 2 } as const;

/** struct __sk_buff, bpf_sock and bpf_sock_addr (include/uapi/linux/bpf.h): offsets as programs see them. */
const SKB = { PROTOCOL: 16, DATA: 76, DATA_END: 80, REMOTE_PORT: 132, SK: 168 } as const;
const SOCK_ADDR = { SK: 64 } as const;
const CREATE = 1;
/** EtherTypes as a little-endian machine reads them. */
const IPV4_SWAPPED = 0x0008;
const IPV6_SWAPPED = 0xdd86;
const ALLOW = 1;

/** One program and where it attaches. `needed` says whether attribution works at all without it. */
export interface SocketProgram {
  readonly name: string;
  readonly type: number;
  readonly attach: number;
  readonly needed: boolean;
  readonly code: Buffer;
}

/** All programs for these two maps. */
export function socketPrograms(storage: number, ring: number): SocketProgram[] {
  const actor = whoActs(storage);
  const addressed = (name: string, attach: number) => ({
    name,
    type: PROGRAM.CGROUP_SOCK_ADDR,
    attach,
    needed: false,
    code: actor,
  });
  return [
    { name: 'netmon_create', type: PROGRAM.CGROUP_SOCK, attach: ATTACH.SOCK_CREATE, needed: true, code: whoCreates(storage) },
    {
      name: 'netmon_egress',
      type: PROGRAM.CGROUP_SKB,
      attach: ATTACH.EGRESS,
      needed: true,
      code: whoSends(storage, ring, WAY.EGRESS),
    },
    {
      name: 'netmon_ingress',
      type: PROGRAM.CGROUP_SKB,
      attach: ATTACH.INGRESS,
      needed: false,
      code: whoSends(storage, ring, WAY.INGRESS),
    },
    addressed('netmon_conn4', ATTACH.CONNECT4),
    addressed('netmon_conn6', ATTACH.CONNECT6),
    addressed('netmon_peer4', ATTACH.GETPEERNAME4),
    addressed('netmon_peer6', ATTACH.GETPEERNAME6),
  ];
}

/** Writes the running process as an owner to the stack at `at`, remotes and all. The context is in `context`. */
function writeOwner(asm: EbpfAssembler, at: number, context: number): void {
  asm.call(HELPER.pidTgid).store(64, R.R10, at + OWNER, R.R0);
  asm.call(HELPER.uidGid).store(64, R.R10, at + IDS, R.R0);
  for (let offset = COMM; offset < STORAGE_BYTES; offset += 8) asm.storeValue(64, R.R10, at + offset, 0);
  asm
    .move(R.R1, R.R10)
    .addValue(R.R1, at + COMM)
    .set(R.R2, 16)
    .call(HELPER.comm);
  asm
    .move(R.R1, context)
    .call(HELPER.netnsCookie)
    .store(64, R.R10, at + NAMESPACE, R.R0);
}

/** R0 = storage of the socket in `socket`, made from the stack at `at` where there is none and `at` is given; 0 where there is none. */
function getStorage(asm: EbpfAssembler, storage: number, socket: number, at: number | null): void {
  asm.loadMap(R.R1, storage).move(R.R2, socket);
  if (at === null) asm.set(R.R3, 0).set(R.R4, 0);
  else asm.move(R.R3, R.R10).addValue(R.R3, at).set(R.R4, CREATE);
  asm.call(HELPER.storageGet);
}

/**
 * cgroup/sock_create(sk), in the process's own context:
 *
 *     storage(sk) = { pid_tgid(), uid_gid(), comm(), netns_cookie(), 0 ... }
 *     return 1
 */
function whoCreates(storage: number): Buffer {
  const asm = new EbpfAssembler();
  const at = -STORAGE_BYTES;
  asm.move(R.R6, R.R1);
  writeOwner(asm, at, R.R6);
  getStorage(asm, storage, R.R6, at);
  return asm.exit(ALLOW).assemble();
}

/**
 * cgroup/connect and cgroup/getpeername(ctx), in the process that acts; in the common case one look-up and a compare:
 *
 *     s = storage(ctx.sk); if (s && s.tgid == tgid()) return 1
 *     owner = { pid_tgid(), uid_gid(), comm(), netns_cookie() }
 *     s = storage(ctx.sk), created from owner
 *     if (s && s.tgid != owner.tgid) *s = owner        // and nothing of it counts as reported
 *     return 1
 */
function whoActs(storage: number): Buffer {
  const asm = new EbpfAssembler();
  const at = -STORAGE_BYTES;
  asm.move(R.R7, R.R1).load(64, R.R6, R.R1, SOCK_ADDR.SK).ifEqualValue(R.R6, 0, 'done');
  getStorage(asm, storage, R.R6, null);
  asm.ifEqualValue(R.R0, 0, 'write').load(32, R.R8, R.R0, OWNER + 4);
  asm.call(HELPER.pidTgid).shiftRight(R.R0, 32).ifEqual(R.R0, R.R8, 'done');
  asm.label('write');
  writeOwner(asm, at, R.R7);
  getStorage(asm, storage, R.R6, at);
  asm.ifEqualValue(R.R0, 0, 'done');
  asm
    .load(32, R.R1, R.R0, OWNER + 4)
    .load(32, R.R2, R.R10, at + OWNER + 4)
    .ifEqual(R.R1, R.R2, 'done');
  for (let offset = 0; offset < STORAGE_BYTES; offset += 8) asm.load(64, R.R1, R.R10, at + offset).store(64, R.R0, offset, R.R1);
  return asm.label('done').exit(ALLOW).assemble();
}

/**
 * cgroup/skb(skb), for every packet of a socket; in the common case two look-ups and a compare:
 *
 *     s = storage(skb.sk); if (!s) return 1
 *     if (skb.remote_port) { if (s.reported) return 1; s.reported = 1 }
 *     h = header at skb.data: IPv4 of 20 bytes or IPv6, with 4 bytes behind it; else return 1
 *     if (!skb.remote_port) {
 *       hash = (fold of the remote address ^ ports) * odd | 1
 *       if (s.remotes[hash >> 27] == hash) return 1
 *       s.remotes[hash >> 27] = hash
 *     }
 *     ring <- report; return 1
 */
function whoSends(storage: number, ring: number, way: number): Buffer {
  const asm = new EbpfAssembler();
  const at = -REPORT_BYTES;
  const remote = way === WAY.EGRESS ? REPORT.DESTINATION : REPORT.SOURCE;
  asm.move(R.R6, R.R1);
  asm.load(64, R.R8, R.R6, SKB.SK).ifEqualValue(R.R8, 0, 'done');
  getStorage(asm, storage, R.R8, null);
  asm.ifEqualValue(R.R0, 0, 'done').move(R.R7, R.R0);
  asm.load(32, R.R9, R.R6, SKB.REMOTE_PORT).ifEqualValue(R.R9, 0, 'header');
  asm.load(64, R.R1, R.R7, REPORTED).ifNotEqualValue(R.R1, 0, 'done');
  asm.set(R.R9, 1);

  asm.label('header');
  asm.load(32, R.R2, R.R6, SKB.DATA).load(32, R.R3, R.R6, SKB.DATA_END);
  asm.load(32, R.R1, R.R6, SKB.PROTOCOL).ifEqualValue(R.R1, IPV6_SWAPPED, 'six').ifNotEqualValue(R.R1, IPV4_SWAPPED, 'done');
  asm.move(R.R4, R.R2).addValue(R.R4, 24).ifGreater(R.R4, R.R3, 'done');
  asm.load(8, R.R1, R.R2, 0).ifNotEqualValue(R.R1, 0x45, 'done'); // options: rare, and left to the port's other reports
  asm
    .load(8, R.R1, R.R2, 9)
    .or32(R.R1, 0x400)
    .store(32, R.R10, at + REPORT.PROTOCOL, R.R1);
  asm.load(32, R.R1, R.R2, 20).store(32, R.R10, at + REPORT.PORTS, R.R1);
  for (const [from, to] of [
    [12, REPORT.SOURCE],
    [16, REPORT.DESTINATION],
  ] as const) {
    asm.load(32, R.R1, R.R2, from).store(32, R.R10, at + to, R.R1);
    for (const rest of [4, 8, 12]) asm.storeValue(32, R.R10, at + to + rest, 0);
  }
  asm.jump('known');

  asm.label('six');
  asm.move(R.R4, R.R2).addValue(R.R4, 44).ifGreater(R.R4, R.R3, 'done');
  asm
    .load(8, R.R1, R.R2, 6)
    .or32(R.R1, 0x600)
    .store(32, R.R10, at + REPORT.PROTOCOL, R.R1);
  asm.load(32, R.R1, R.R2, 40).store(32, R.R10, at + REPORT.PORTS, R.R1);
  for (let word = 0; word < 8; word++)
    asm.load(32, R.R1, R.R2, 8 + 4 * word).store(32, R.R10, at + REPORT.SOURCE + 4 * word, R.R1);

  asm.label('known');
  asm.ifNotEqualValue(R.R9, 0, 'report');
  asm.load(32, R.R1, R.R10, at + REPORT.PORTS);
  for (const word of [0, 4, 8, 12])
    asm
      .load(32, R.R2, R.R10, at + remote + word)
      .xor32(R.R1, R.R2)
      .multiply32(R.R1, 0x9e3779b1);
  asm.or32(R.R1, 1);
  asm.move(R.R2, R.R1).shiftRight32(R.R2, REMOTE_SLOTS_SHIFT).shiftLeft(R.R2, 2);
  asm.move(R.R3, R.R7).add(R.R3, R.R2);
  asm.load(32, R.R4, R.R3, REMOTES).ifEqual(R.R4, R.R1, 'done');
  asm.store(32, R.R3, REMOTES, R.R1);

  asm.label('report');
  asm.store(32, R.R10, at + REPORT.CONNECTED, R.R9).storeValue(32, R.R10, at + REPORT.WAY, way);
  asm.ifEqualValue(R.R9, 0, 'send').store(64, R.R7, REPORTED, R.R9);
  asm.label('send');
  for (const [from, to] of [
    [NAMESPACE, REPORT.NAMESPACE],
    [OWNER, REPORT.OWNER],
    [IDS, REPORT.IDS],
    [COMM, REPORT.COMM],
    [COMM + 8, REPORT.COMM + 8],
  ] as const) {
    asm.load(64, R.R1, R.R7, from).store(64, R.R10, at + to, R.R1);
  }
  asm.call(HELPER.monotonicTime).store(64, R.R10, at + REPORT.TIME, R.R0);
  asm.loadMap(R.R1, ring).move(R.R2, R.R10).addValue(R.R2, at).set(R.R3, REPORT_BYTES).set(R.R4, 0).call(HELPER.ringbufOutput);
  return asm.label('done').exit(ALLOW).assemble();
}
