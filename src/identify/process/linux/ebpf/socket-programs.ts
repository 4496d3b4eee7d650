// The eBPF programs that report who owns a socket, and the layout of their reports. loader.ts loads them.
//
// cgroup/sock_create runs in the process that creates a socket and stores the owner in the socket itself (socket storage). That needs no
// table, bound or eviction, and an accepted socket inherits its listener's storage. connect4/6 and getpeername4/6 (which the kernel runs
// inside accept) run in the process that makes the call, so a socket that was inherited, passed on or created before the programs gets its
// real owner there. sendmsg4/6 would catch more inherited sockets, but the kernel locks the socket for them, which costs an unconnected
// sender 9 % of its time. cgroup/skb egress and ingress report each socket once, before its packet reaches the capture; they report an
// unconnected socket once per remote end. Packet programs may run in any process's context, so they read only the storage, never the pid.
// Frames from packet sockets pass none of these hooks; FRAME_HOOKS catches them.

import type { CgroupMark } from '../../command-tree.ts';
import { EbpfAssembler, HELPER, R } from './assembler.ts';
import { ATTACH, PROGRAM, TRACE } from './calls.ts';
import type { KernelTypes } from './kernel-types.ts';

/**
 * A socket's storage, 176 bytes:
 *
 *     0 tgid << 32 | tid | 8 gid << 32 | uid | 16 comm[16] of the main thread | 32 cookie of its network namespace
 *     40 1 once it was reported as connected u32 | 44 1 if its process is in the cgroup of the run's command u32 | 48 hashes of the reported remote ends, u32[32]
 */
export const STORAGE_BYTES = 176;
const OWNER = 0;
const IDS = 8;
const COMM = 16;
const NAMESPACE = 32;
const REPORTED = 40;
const MEMBER = 44;
const REMOTES = 48;
const REMOTE_SLOTS_SHIFT = 27; // the top 5 bits of a hash choose one of 32

/**
 * A report, 96 bytes:
 *
 *     0 cookie of the network namespace | 8 tgid << 32 | tid | 16 gid << 32 | uid | 24 comm[16] | 40 1 egress, 2 ingress | 44 version << 8 | protocol
 *     48 source port, destination port, in network order; for ICMP type, code, identifier | 52 1 if the socket is connected | 53 1 if its process is in the cgroup of the run's command | 56 source[16] | 72 destination[16] | 88 CLOCK_MONOTONIC in ns
 */
export const REPORT_BYTES = 96;
export const REPORT = {
  NAMESPACE: 0,
  OWNER: 8,
  IDS: 16,
  COMM: 24,
  DIRECTION: 40,
  PROTOCOL: 44,
  PORTS: 48,
  CONNECTED: 52,
  MEMBER: 53,
  SOURCE: 56,
  DESTINATION: 72,
  TIME: 88,
} as const;
export const REPORT_DIRECTION = { EGRESS: 1, INGRESS: 2 } as const;

/** struct __sk_buff, bpf_sock and bpf_sock_addr (include/uapi/linux/bpf.h): offsets as programs see them. */
const SKB = { PROTOCOL: 16, DATA: 76, DATA_END: 80, REMOTE_PORT: 132, SK: 168 } as const;
const SOCK_ADDR = { SK: 64 } as const;
const CREATE = 1;
/** Bytes read of a frame: an IP header and the 8 bytes after it. */
const V4_BYTES = 28;
const V6_BYTES = 48;
/** EtherTypes as a little-endian machine reads them. */
const IPV4_SWAPPED = 0x0008;
const IPV6_SWAPPED = 0xdd86;
const ALLOW = 1;

/** One program and where it attaches. Attribution doesn't work at all without those that are `needed`. */
export interface SocketProgram {
  readonly name: string;
  readonly type: number;
  readonly attach: number;
  readonly needed: boolean;
  readonly code: Buffer;
}

/** Where a thread's task_struct points to that of its process's main thread, and where that has its name. */
export interface LeaderOffsets {
  readonly leader: number;
  readonly comm: number;
}

/** Finds them in this kernel's types. Throws if they lack any. */
export function leaderOffsets(types: KernelTypes): LeaderOffsets {
  return { leader: types.offset('task_struct', 'group_leader'), comm: types.offset('task_struct', 'comm') };
}

/**
 * All cgroup programs. `storage` and `ring` are map descriptors.
 *
 * @param leader null reports the name of the calling thread, for a kernel that refuses more
 * @param mark whose processes to mark; null marks none
 */
export function socketPrograms(
  storage: number,
  ring: number,
  leader: LeaderOffsets | null,
  mark: CgroupMark | null,
): SocketProgram[] {
  const actor = callProgram(storage, leader, mark);
  const addressed = (name: string, attach: number) => ({
    name,
    type: PROGRAM.CGROUP_SOCK_ADDR,
    attach,
    needed: false,
    code: actor,
  });
  return [
    {
      name: 'netmon_create',
      type: PROGRAM.CGROUP_SOCK,
      attach: ATTACH.SOCK_CREATE,
      needed: true,
      code: createProgram(storage, leader, mark),
    },
    {
      name: 'netmon_egress',
      type: PROGRAM.CGROUP_SKB,
      attach: ATTACH.EGRESS,
      needed: true,
      code: packetProgram(storage, ring, REPORT_DIRECTION.EGRESS),
    },
    {
      name: 'netmon_ingress',
      type: PROGRAM.CGROUP_SKB,
      attach: ATTACH.INGRESS,
      needed: false,
      code: packetProgram(storage, ring, REPORT_DIRECTION.INGRESS),
    },
    addressed('netmon_conn4', ATTACH.CONNECT4),
    addressed('netmon_conn6', ATTACH.CONNECT6),
    addressed('netmon_peer4', ATTACH.GETPEERNAME4),
    addressed('netmon_peer6', ATTACH.GETPEERNAME6),
  ];
}

/**
 * Writes storage for the current process to the stack at `at`, with its namespace and remotes zeroed. The name is that of the main thread:
 * other threads may have any (BIND calls those of dig isc-net-0000).
 */
function writeProcess(asm: EbpfAssembler, at: number, leader: LeaderOffsets | null, mark: CgroupMark | null): void {
  asm.call(HELPER.pidTgid).store(64, R.R10, at + OWNER, R.R0);
  asm.call(HELPER.uidGid).store(64, R.R10, at + IDS, R.R0);
  for (let offset = COMM; offset < STORAGE_BYTES; offset += 8) asm.storeValue(64, R.R10, at + offset, 0);
  const readTo = (offset: number, bytes: number) =>
    asm
      .move(R.R1, R.R10)
      .addValue(R.R1, at + offset)
      .set(R.R2, bytes);
  if (leader !== null) {
    asm.call(HELPER.currentTask).move(R.R3, R.R0).addValue(R.R3, leader.leader);
    readTo(NAMESPACE, 8).call(HELPER.readKernel).ifNotEqualValue(R.R0, 0, 'thread');
    asm
      .load(64, R.R3, R.R10, at + NAMESPACE)
      .addValue(R.R3, leader.comm)
      .storeValue(64, R.R10, at + NAMESPACE, 0);
    readTo(COMM, 16).call(HELPER.readKernel).ifEqualValue(R.R0, 0, 'named').label('thread');
  }
  readTo(COMM, 16).call(HELPER.comm).label('named');
  if (mark === null) return;
  if (mark.level === null) asm.call(HELPER.cgroup);
  else asm.set(R.R1, mark.level).call(HELPER.ancestorCgroup);
  asm
    .setWide(R.R1, mark.id)
    .ifNotEqual(R.R0, R.R1, 'apart')
    .storeValue(32, R.R10, at + MEMBER, 1)
    .label('apart');
}

/** The same, with the network namespace of the context in register `context`. */
function writeOwner(
  asm: EbpfAssembler,
  at: number,
  context: number,
  leader: LeaderOffsets | null,
  mark: CgroupMark | null,
): void {
  writeProcess(asm, at, leader, mark);
  asm
    .move(R.R1, context)
    .call(HELPER.netnsCookie)
    .store(64, R.R10, at + NAMESPACE, R.R0);
}

/** R0 = the storage of the socket in register `socket`. If it has none, creates it from the stack at `at`; with `at` null, R0 = 0. */
function getStorage(asm: EbpfAssembler, storage: number, socket: number, at: number | null): void {
  asm.loadMap(R.R1, storage).move(R.R2, socket);
  if (at === null) asm.set(R.R3, 0).set(R.R4, 0);
  else asm.move(R.R3, R.R10).addValue(R.R3, at).set(R.R4, CREATE);
  asm.call(HELPER.storageGet);
}

/**
 * cgroup/sock_create(sk), in the process's own context:
 *
 *     storage(sk) = { pid_tgid(), uid_gid(), comm(), netns_cookie(), member(), 0 ... }
 *     return 1
 */
function createProgram(storage: number, leader: LeaderOffsets | null, mark: CgroupMark | null): Buffer {
  const asm = new EbpfAssembler();
  const at = -STORAGE_BYTES;
  asm.move(R.R6, R.R1);
  writeOwner(asm, at, R.R6, leader, mark);
  getStorage(asm, storage, R.R6, at);
  return asm.exit(ALLOW).assemble();
}

/**
 * cgroup/connect and cgroup/getpeername(ctx), in the calling process; the common case is one lookup and a compare:
 *
 *     s = storage(ctx.sk); if (s && s.tgid == tgid()) return 1
 *     owner = { pid_tgid(), uid_gid(), comm(), netns_cookie(), member() }
 *     s = storage(ctx.sk), created from owner
 *     if (s && s.tgid != owner.tgid) *s = owner        // also forgets what was reported
 *     return 1
 */
function callProgram(storage: number, leader: LeaderOffsets | null, mark: CgroupMark | null): Buffer {
  const asm = new EbpfAssembler();
  const at = -STORAGE_BYTES;
  asm.move(R.R7, R.R1).load(64, R.R6, R.R1, SOCK_ADDR.SK).ifEqualValue(R.R6, 0, 'done');
  getStorage(asm, storage, R.R6, null);
  asm.ifEqualValue(R.R0, 0, 'write').load(32, R.R8, R.R0, OWNER + 4);
  asm.call(HELPER.pidTgid).shiftRight(R.R0, 32).ifEqual(R.R0, R.R8, 'done');
  asm.label('write');
  writeOwner(asm, at, R.R7, leader, mark);
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
 * cgroup/skb(skb), for every packet of a socket; the common case is two lookups and a compare:
 *
 *     s = storage(skb.sk); if (!s) return 1
 *     if (skb.remote_port) { if (s.reported) return 1; s.reported = 1 }
 *     reportHeader(skb.data); ring <- report; return 1
 */
function packetProgram(storage: number, ring: number, direction: number): Buffer {
  const asm = new EbpfAssembler();
  const at = -REPORT_BYTES;
  asm.move(R.R6, R.R1);
  asm.load(64, R.R8, R.R6, SKB.SK).ifEqualValue(R.R8, 0, 'done');
  getStorage(asm, storage, R.R8, null);
  asm.ifEqualValue(R.R0, 0, 'done').move(R.R7, R.R0);
  asm.load(32, R.R9, R.R6, SKB.REMOTE_PORT).ifEqualValue(R.R9, 0, 'header');
  asm.load(32, R.R1, R.R7, REPORTED).ifNotEqualValue(R.R1, 0, 'done');
  asm.set(R.R9, 1);

  asm.label('header');
  asm.load(32, R.R2, R.R6, SKB.DATA).load(32, R.R3, R.R6, SKB.DATA_END);
  asm.load(32, R.R1, R.R6, SKB.PROTOCOL);
  reportHeader(asm, at, direction, R.R3);
  asm.store(32, R.R10, at + REPORT.CONNECTED, R.R9);
  asm.ifEqualValue(R.R9, 0, 'send').store(32, R.R7, REPORTED, R.R9);
  asm.label('send');
  sendReport(asm, at, ring);
  return asm.label('done').exit(ALLOW).assemble();
}

/**
 * Where the frame program may attach, best first: a function that only packet sockets call, else a tracepoint that every sent packet passes.
 * The latter makes sending a 64-byte packet about 4 % slower, but works on kernels that can't attach to functions.
 */
export const FRAME_HOOKS: readonly { readonly attach: number; find(types: KernelTypes): number }[] = [
  { attach: TRACE.EXIT, find: (types) => types.functionId('packet_parse_headers') },
  { attach: TRACE.TRACEPOINT, find: (types) => types.tracepoint('net_dev_queue') },
];
const AF_PACKET = 17;

/**
 * fexit/packet_parse_headers(skb, sock) or tp_btf/net_dev_queue(skb), in the sender's context; other sockets cost three loads and a compare:
 *
 *     if (!skb.sk || skb.sk.family != AF_PACKET) return
 *     h = copy of the IP header at skb.head + skb.network_header; return unless it and 8 bytes more end before skb.tail
 *     s = storage(skb.sk), created for the sender of its first frame: later ones may come in another context, as behind a VLAN
 *     if (this remote end was reported) return
 *     ring <- report, marked as connected: the port says nothing about other remote ends
 *
 * Throws if this kernel's types lack any of these.
 */
export function frameProgram(storage: number, ring: number, types: KernelTypes, mark: CgroupMark | null): Buffer {
  const asm = new EbpfAssembler();
  const at = -STORAGE_BYTES;
  const report = at - REPORT_BYTES;
  const header = report - V6_BYTES;
  const skb = (member: string) => types.offset('sk_buff', member);
  const common = types.offset('sock', '__sk_common');
  asm.load(64, R.R6, R.R1, 0).load(64, R.R8, R.R6, skb('sk')).ifEqualValue(R.R8, 0, 'done');
  asm.load(16, R.R1, R.R8, common + types.offset('sock_common', 'skc_family')).ifNotEqualValue(R.R1, AF_PACKET, 'done');
  asm.load(16, R.R9, R.R6, skb('protocol'));
  asm.load(16, R.R4, R.R6, skb('network_header')).load(32, R.R5, R.R6, skb('tail'));
  asm.move(R.R1, R.R4).addValue(R.R1, V4_BYTES).ifGreater(R.R1, R.R5, 'done').set(R.R2, V4_BYTES);
  asm.ifNotEqualValue(R.R9, IPV6_SWAPPED, 'read');
  asm.move(R.R1, R.R4).addValue(R.R1, V6_BYTES).ifGreater(R.R1, R.R5, 'done').set(R.R2, V6_BYTES);
  asm.label('read');
  asm.load(64, R.R3, R.R6, skb('head')).add(R.R3, R.R4);
  asm.move(R.R1, R.R10).addValue(R.R1, header).call(HELPER.readKernel).ifNotEqualValue(R.R0, 0, 'done');

  getStorage(asm, storage, R.R8, null);
  asm.ifNotEqualValue(R.R0, 0, 'owned');
  writeProcess(asm, at, leaderOffsets(types), mark);
  asm.load(64, R.R1, R.R8, common + types.offset('sock_common', 'skc_net')).ifEqualValue(R.R1, 0, 'done');
  asm.load(64, R.R1, R.R1, types.offset('net', 'net_cookie')).store(64, R.R10, at + NAMESPACE, R.R1);
  getStorage(asm, storage, R.R8, at);
  asm.ifEqualValue(R.R0, 0, 'done');

  asm.label('owned');
  asm.move(R.R7, R.R0).move(R.R1, R.R9).move(R.R2, R.R10).addValue(R.R2, header).set(R.R9, 0);
  reportHeader(asm, report, REPORT_DIRECTION.EGRESS, null);
  asm.storeValue(32, R.R10, report + REPORT.CONNECTED, 1);
  sendReport(asm, report, ring);
  return asm.label('done').exit(0).assemble();
}

/**
 * Writes direction, protocol, ports and addresses from the IP header in R2 into the report at `at`. R1 holds the EtherType, R7 the storage,
 * R9 whether the socket is connected. An unconnected socket is reported once per remote end.
 *
 *     unless (20-byte IPv4 header or IPv6 header, and 4 bytes after it, 8 for ICMP) goto done
 *     ports = the 4 bytes; for ICMP type, code and identifier
 *     if (!R9) {
 *       hash = (fold of the remote address ^ ports) * odd | 1
 *       if (s.remotes[hash >> 27] == hash) goto done
 *       s.remotes[hash >> 27] = hash
 *     }
 *
 * IPv4 options also go to `done`: they are rare, and other reports of the port cover them.
 *
 * @param end register that holds the end of the bytes; null if enough are known to be there
 */
function reportHeader(asm: EbpfAssembler, at: number, direction: number, end: number | null): void {
  const isSent = direction === REPORT_DIRECTION.EGRESS;
  const reaches = (bytes: number) => {
    if (end !== null) asm.move(R.R4, R.R2).addValue(R.R4, bytes).ifGreater(R.R4, end, 'done');
  };
  asm.storeValue(32, R.R10, at + REPORT.DIRECTION, direction);
  asm.ifEqualValue(R.R1, IPV6_SWAPPED, 'six').ifNotEqualValue(R.R1, IPV4_SWAPPED, 'done');
  reaches(24);
  asm.load(8, R.R1, R.R2, 0).ifNotEqualValue(R.R1, 0x45, 'done');
  readPorts(asm, { protocolAt: 9, icmp: 1, portsAt: 20, label: 'v4', reaches });
  asm.ifNotEqualValue(R.R9, 0, 'new-v4');
  rememberRemote(asm, isSent ? 16 : 12, 1);
  asm
    .label('new-v4')
    .or32(R.R5, 0x400)
    .store(32, R.R10, at + REPORT.PROTOCOL, R.R5);
  for (const [from, to] of [
    [12, REPORT.SOURCE],
    [16, REPORT.DESTINATION],
  ] as const) {
    asm.load(32, R.R1, R.R2, from).store(32, R.R10, at + to, R.R1);
    for (const rest of [4, 8, 12]) asm.storeValue(32, R.R10, at + to + rest, 0);
  }
  asm.jump('known');

  asm.label('six');
  reaches(44);
  readPorts(asm, { protocolAt: 6, icmp: 58, portsAt: 40, label: 'v6', reaches });
  asm.ifNotEqualValue(R.R9, 0, 'new-v6');
  rememberRemote(asm, isSent ? 24 : 8, 4);
  asm
    .label('new-v6')
    .or32(R.R5, 0x600)
    .store(32, R.R10, at + REPORT.PROTOCOL, R.R5);
  for (let word = 0; word < 8; word++)
    asm.load(32, R.R1, R.R2, 8 + 4 * word).store(32, R.R10, at + REPORT.SOURCE + 4 * word, R.R1);
  asm.label('known').store(32, R.R10, at + REPORT.PORTS, R.R0);
}

/** Offsets in an IP header, and a suffix for its labels. */
interface HeaderLayout {
  readonly protocolAt: number;
  /** Protocol number of this version's ICMP. */
  readonly icmp: number;
  readonly portsAt: number;
  readonly label: string;
  /** Jumps to `done` unless so many bytes are there. */
  readonly reaches: (bytes: number) => void;
}

/** R5 = protocol, R0 = ports for the report, from the header in R2. */
function readPorts(asm: EbpfAssembler, { protocolAt, icmp, portsAt, label, reaches }: HeaderLayout): void {
  asm.load(8, R.R5, R.R2, protocolAt).load(32, R.R0, R.R2, portsAt).ifNotEqualValue(R.R5, icmp, `ports-${label}`);
  reaches(portsAt + 8);
  asm
    .load(16, R.R0, R.R2, portsAt)
    .load(16, R.R1, R.R2, portsAt + 4)
    .shiftLeft(R.R1, 16)
    .add(R.R0, R.R1);
  asm.label(`ports-${label}`);
}

/** Jumps to `done` if the storage in R7 has this remote end; else adds it. R0 holds the ports. @param at offset of the address from R2 @param words its length */
function rememberRemote(asm: EbpfAssembler, at: number, words: number): void {
  asm.move(R.R1, R.R0);
  for (let word = 0; word < words; word++)
    asm
      .load(32, R.R4, R.R2, at + 4 * word)
      .xor32(R.R1, R.R4)
      .multiply32(R.R1, 0x9e3779b1);
  asm.or32(R.R1, 1);
  asm.move(R.R4, R.R1).shiftRight32(R.R4, REMOTE_SLOTS_SHIFT).shiftLeft(R.R4, 2);
  asm.move(R.R3, R.R7).add(R.R3, R.R4);
  asm.load(32, R.R4, R.R3, REMOTES).ifEqual(R.R4, R.R1, 'done');
  asm.store(32, R.R3, REMOTES, R.R1);
}

/** Completes the report at `at` with the owner from the storage in R7 and writes it to the ring. */
function sendReport(asm: EbpfAssembler, at: number, ring: number): void {
  for (const [from, to] of [
    [NAMESPACE, REPORT.NAMESPACE],
    [OWNER, REPORT.OWNER],
    [IDS, REPORT.IDS],
    [COMM, REPORT.COMM],
    [COMM + 8, REPORT.COMM + 8],
  ] as const) {
    asm.load(64, R.R1, R.R7, from).store(64, R.R10, at + to, R.R1);
  }
  asm.load(32, R.R1, R.R7, MEMBER).store(8, R.R10, at + REPORT.MEMBER, R.R1);
  asm.call(HELPER.monotonicTime).store(64, R.R10, at + REPORT.TIME, R.R0);
  asm.loadMap(R.R1, ring).move(R.R2, R.R10).addValue(R.R2, at).set(R.R3, REPORT_BYTES).set(R.R4, 0).call(HELPER.ringbufOutput);
}
