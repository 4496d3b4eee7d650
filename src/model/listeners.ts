// Listeners: sockets that wait for connections or datagrams, as plain data. The JSON form is a contract (schema/json-lines.schema.json).

import type { OfMachine } from './machines.ts';
import type { Container } from './terms.ts';

/** From where a listener can be reached, as far as its address says; a firewall may allow less. */
export const REACHES = ['loopback', 'network', 'everywhere'] as const;
/** `loopback` is this machine; `network` an address that only neighbours know; `everywhere` any address, or a public one. */
export type Reach = (typeof REACHES)[number];

/** One listening socket, or several of one process that differ in family only. Texts are sanitised. */
export interface Listener {
  /** Unique among listeners; stays while the socket does. */
  readonly id: string;
  readonly protocol: 'tcp' | 'udp';
  /** Address that it is bound to; `*` for any. */
  readonly address: string;
  readonly port: number;
  readonly reach: Reach;
  /** null if no process is known to hold it. */
  readonly app: string | null;
  readonly exe: string | null;
  readonly pid: number | null;
  readonly user: string | null;
  /** systemd unit or container of the process. */
  readonly unit: string | null;
  /** null if the process runs in none. */
  readonly container: Container | null;
  /** Start of the process, epoch ms; null if unknown. */
  readonly startedAt: number | null;
  /** When it was first listed, epoch ms; null if it was there before the run. */
  readonly since: number | null;
  /** True in another network namespace: a container's, mostly. */
  readonly elsewhere: boolean;
}

/** Connections that a listener accepted during the run; UDP: peers that were answered. */
export interface Visits {
  /** null if unknown. */
  readonly accepted: number | null;
  /** Address of the last one; null if there was none. */
  readonly lastFrom: string | null;
  /** When the last one began, epoch ms. */
  readonly lastAt: number | null;
}

export type ListenerRow = Listener & Visits & OfMachine;
