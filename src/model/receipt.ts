// What a command and all that it started did on the network, as plain data. The JSON form is a contract (schema/receipt.schema.json).

import type { Verdict } from './policy.ts';
import type { Attribution, NameSource } from './terms.ts';

/** How a receipt is written. */
export const RECEIPT_FORMATS = ['text', 'json', 'markdown', 'sarif'] as const;
export type ReceiptFormat = (typeof RECEIPT_FORMATS)[number];

/** Bytes at network layer, as the process's end saw them. */
export interface Moved {
  readonly rxBytes: number;
  readonly txBytes: number;
  readonly rxPackets: number;
  readonly txPackets: number;
}

/** A process that moved something or listened. Times in epoch ms. */
export interface ReceiptProcess {
  readonly pid: number;
  readonly name: string;
  readonly exe: string | null;
  /** As policies and the screen name it. */
  readonly app: string;
  readonly user: string | null;
  /** Names of those above it, the nearest last, from the command on. */
  readonly ancestors: readonly string[];
  readonly startedAt: number | null;
  /** How it is known that it is the command's: by the cgroup that its sockets came from, or by who started it. */
  readonly membership: 'cgroup' | 'lineage';
}

/** How one process and one other end spoke. */
export interface ReceiptRow extends Moved {
  readonly process: ReceiptProcess;
  /** `local` is this machine at both ends; `transit` went through a namespace of its own. */
  readonly direction: 'outbound' | 'inbound' | 'local' | 'transit';
  readonly protocol: string;
  /** Name of the other end; null if it has none. */
  readonly host: string | null;
  readonly domain: string | null;
  readonly nameSource: NameSource;
  /** Why it has no name; null if it has one. */
  readonly nameReason: string | null;
  readonly address: string;
  /** Of the service: the other end's, or the process's own if that was called. */
  readonly port: number;
  readonly application: string | null;
  readonly asn: number | null;
  /** How the process is known. */
  readonly attribution: Attribution;
  readonly connections: number;
  /** Of these, those that the other end refused, or left unanswered. */
  readonly refused: number;
  readonly unanswered: number;
  readonly firstSeen: number;
  readonly lastSeen: number;
}

/** A name that was asked for. */
export interface ReceiptQuestion {
  readonly pid: number;
  readonly app: string | null;
  readonly name: string;
  readonly type: string;
  /** `NOERROR`, `NXDOMAIN`, `no answer` ... of the last time. */
  readonly result: string;
  readonly resolver: string;
  readonly times: number;
}

/** What the tree waited for connections on. */
export interface ReceiptListener {
  readonly pid: number;
  readonly app: string | null;
  readonly protocol: 'tcp' | 'udp';
  readonly address: string;
  readonly port: number;
  readonly reach: string;
  /** null if unknown. */
  readonly accepted: number | null;
}

/** What could not be told. */
export interface Untold {
  /** Connections of processes that nobody could name, and their bytes: some may be the command's. */
  readonly connections: number;
  readonly bytes: number;
  /** Packets that were lost: their bytes are in no sum. */
  readonly lostPackets: number;
  /** Packets that could not be read. */
  readonly unreadPackets: number;
  /** Questions of DNS that came too fast to be read. */
  readonly missedQuestions: number;
  /** Rows for which there was no room; what they moved is in the total. */
  readonly foldedRows: number;
  /** In words, what limits the receipt. */
  readonly notes: readonly string[];
}

/** What a policy says to a row. */
export interface ReceiptJudgement {
  readonly row: ReceiptRow;
  readonly verdict: Verdict;
  readonly rule: string | null;
  readonly reason: string;
  readonly drift: boolean;
}

/** The whole. */
export interface Receipt {
  /** Of a session the name of its first process. */
  readonly command: readonly string[];
  /** Pid of the process that was followed; null if the program ran the command. */
  readonly session: number | null;
  readonly user: string;
  /** Exit status of the command, as shells say it; null of a session. */
  readonly status: number | null;
  readonly started: number;
  readonly ended: number;
  /** How it is known who belongs to the command. By its cgroup: then its processes that left that are known by lineage. */
  readonly membership: 'cgroup' | 'lineage' | 'polling';
  /** Why it isn't its cgroup; null if it is, or there are none here. */
  readonly membershipNote: string | null;
  /** Where owners come from: ebpf, procfs, pktap ... */
  readonly attribution: string;
  readonly interfaces: readonly string[];
  /** Processes that began, the command among them; null if nobody counted. */
  readonly processesBegun: number | null;
  /** Processes that still ran at the end; null if unknown. */
  readonly left: number | null;
  /** Each connection once, though both its ends may be the command's. */
  readonly total: Moved;
  readonly connections: number;
  readonly rows: readonly ReceiptRow[];
  readonly questions: readonly ReceiptQuestion[];
  readonly listeners: readonly ReceiptListener[];
  readonly untold: Untold;
  /** null without a policy. */
  readonly policy: { readonly path: string; readonly judgements: readonly ReceiptJudgement[] } | null;
}
