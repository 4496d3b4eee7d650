// Knows the flows of kept frames: from the flow table while they are in it, from a copy once they have left. Bounded; a copy goes with the last of its
// frames. It judges no frame and reads none.

import { FLOW_DIRECTION } from '../flow/direction.ts';
import type { FlowObserver, FlowTable } from '../flow/flow-table.ts';
import type { KeptFlow } from '../model/packets.ts';
import {
  type Asked,
  FLOW_DIRECTIONS,
  type FlowFacts,
  type NameSource,
  NO_OWNER,
  NOWHERE,
  type OwnerReason,
  type Place,
  type Process,
  type ProcessDirectory,
} from '../model/terms.ts';
import { formatAddress } from '../net/address.ts';
import { hasPorts, protocolName } from '../net/numbers.ts';
import { applicationByPort } from '../net/services.ts';
import type { PacketRing } from './packet-ring.ts';

/** Flows that have left and are remembered. Serial numbers follow one another, so a flow's place is its number's lowest bits. */
export const MAX_LEFT = 1 << 16;
/**
 * Layout of `left`, 12 words per place:
 *
 *     0..3 local address | 4..7 remote address | 8 local port << 16 | remote port | 9 interface << 16 | protocol | 10 direction
 */
const WORDS = 12;
/** Places looked through at each tick for flows without frames. */
const SWEPT = MAX_LEFT / 16;

/** What is known of a flow besides its ends. Flows of which the same is known one after the other share one. */
interface Known {
  readonly app: string | null;
  readonly owner: Process | null;
  readonly reason: OwnerReason | null;
  readonly onBehalfOf: Process | null;
  readonly peerApp: string | null;
  readonly peer: Process | null;
  readonly name: string | null;
  readonly nameSource: NameSource;
  readonly domain: string | null;
  readonly category: string | null;
  readonly application: string | null;
  readonly asked: Asked | null;
  readonly ja4: string | null;
  readonly ja4s: string | null;
}

/** Frames that are kept, and their flows. */
export interface Kept {
  readonly ring: PacketRing;
  readonly flows: KeptFlows;
}

/** What `KeptFlows` reads. */
interface KeptFlowsParts {
  readonly flows: FlowTable;
  readonly ring: PacketRing;
  readonly directory: ProcessDirectory;
  /** Names and categories; null if flows have none. */
  readonly facts: FlowFacts | null;
  readonly interfaceName: (index: number) => string;
  /** Process for which a flow's owner acts, or NO_OWNER; null if the capture doesn't tell. */
  readonly onBehalfOf: ((row: number) => number) | null;
}

/** The flows of a ring's frames. It observes the flow table: make it before the first frame, and behind what books flows. */
export class KeptFlows implements FlowObserver {
  readonly #parts: KeptFlowsParts;
  /** By place: serial number of the flow, 0 for none; and position of its newest frame. */
  readonly #serials = new Float64Array(MAX_LEFT);
  readonly #newest = new Float64Array(MAX_LEFT);
  readonly #left = new Int32Array(MAX_LEFT * WORDS);
  readonly #known = new Array<Known | undefined>(MAX_LEFT);
  #last: Known | null = null;
  #sweptTo = 0;
  /** Flows that were forgotten although frames of theirs were kept. */
  forgotten = 0;

  constructor(parts: KeptFlowsParts) {
    this.#parts = parts;
    parts.flows.observe(this);
  }

  /** Copies a flow that leaves the table, if frames of it are kept. */
  flowRemoved(row: number): void {
    const { flows, ring } = this.#parts;
    const newest = flows.keptAt(row);
    if (!ring.has(newest)) return;
    const serial = flows.serial(row);
    const place = serial & (MAX_LEFT - 1);
    if (ring.has(this.#newest[place] as number)) this.forgotten++;
    this.#serials[place] = serial;
    this.#newest[place] = newest;
    const left = this.#left;
    const base = place * WORDS;
    const { words } = flows;
    const [local, remote] = [flows.localAt(row), flows.remoteAt(row)];
    for (let i = 0; i < 4; i++) {
      left[base + i] = words[local + i] as number;
      left[base + 4 + i] = words[remote + i] as number;
    }
    left[base + 8] = (flows.localPort(row) << 16) | flows.remotePort(row);
    left[base + 9] = (flows.interface(row) << 16) | flows.protocol(row);
    left[base + 10] = flows.direction(row);
    this.#known[place] = this.#knownOf(row);
  }

  /**
   * A frame's flow as it is known now.
   *
   * @param row and serial as its record has them
   * @returns null for a frame without addresses, and for a flow that was forgotten
   */
  of(row: number, serial: number): KeptFlow | null {
    if (row < 0) return null;
    const { flows } = this.#parts;
    if (flows.holds(row, serial)) {
      const known = this.#knownOf(row);
      const ports = (flows.localPort(row) << 16) | flows.remotePort(row);
      const what = (flows.interface(row) << 16) | flows.protocol(row);
      return this.#flow(
        serial,
        known,
        flows.words,
        flows.localAt(row),
        flows.remoteAt(row),
        ports,
        what,
        flows.direction(row),
        flows.isClosed(row),
      );
    }
    const place = serial & (MAX_LEFT - 1);
    if (this.#serials[place] !== serial) return null;
    const left = this.#left;
    const base = place * WORDS;
    const [ports, what, direction] = [left[base + 8], left[base + 9], left[base + 10]] as [number, number, number];
    return this.#flow(serial, this.#known[place] as Known, left, base, base + 4, ports, what, direction, true);
  }

  /** Forgets some of the flows whose last frame is gone. Call it once a tick. */
  sweep(): void {
    const { ring } = this.#parts;
    const end = this.#sweptTo + SWEPT;
    for (let place = this.#sweptTo; place < end; place++) {
      if (this.#serials[place] === 0 || ring.has(this.#newest[place] as number)) continue;
      this.#serials[place] = 0;
      this.#newest[place] = 0;
      this.#known[place] = undefined;
    }
    this.#sweptTo = end % MAX_LEFT;
  }

  #flow(
    serial: number,
    known: Known,
    words: Int32Array,
    localAt: number,
    remoteAt: number,
    ports: number,
    what: number,
    direction: number,
    closed: boolean,
  ): KeptFlow {
    const protocol = what & 0xffff;
    const numbered = hasPorts(protocol);
    const local = { address: formatAddress(words, localAt), port: numbered ? ports >>> 16 : 0 };
    const remote = { address: formatAddress(words, remoteAt), port: numbered ? ports & 0xffff : 0 };
    const place: Place = this.#parts.facts?.placeOf(words, remoteAt) ?? NOWHERE;
    const { application, owner, peer, name } = known;
    return {
      ...known,
      serial,
      process: owner,
      peerProcess: peer,
      pid: owner?.pid ?? null,
      exe: owner?.exe ?? null,
      user: owner?.user ?? null,
      peerPid: peer?.pid ?? null,
      host: name ?? remote.address,
      closed,
      application: application ?? applicationByPort(protocol, local.port, remote.port),
      country: place.country,
      asn: place.asn,
      local,
      remote,
      remoteWords: words.slice(remoteAt, remoteAt + 4),
      protocol: protocolName(protocol),
      direction: FLOW_DIRECTIONS[direction] ?? FLOW_DIRECTIONS[FLOW_DIRECTION.TRANSIT],
      interface: this.#parts.interfaceName(what >>> 16),
    };
  }

  /** What is known of a flow now: the object of the flow before, if the same is known. A flood of strangers makes none. */
  #knownOf(row: number): Known {
    const { flows, facts } = this.#parts;
    const owner = this.#process(flows.owner(row));
    const peer = this.#process(flows.peer(row));
    const reason = flows.reason(row);
    const onBehalfOf = this.#process(this.#parts.onBehalfOf?.(row) ?? NO_OWNER);
    const number = facts?.nameOf(row) ?? -1;
    const name = number < 0 || facts === null ? null : facts.nameText(number);
    const nameSource = facts?.nameSource(row) ?? 'none';
    const category = facts === null ? null : facts.categoryText(facts.categoryOf(row));
    const application = facts?.applicationOf(row) ?? null;
    const asked = facts?.askedOf(row) ?? null;
    const tls = facts?.talkOf(row)?.tls ?? null;
    const ja4 = tls?.offer?.ja4 ?? null;
    const ja4s = tls?.answer?.ja4s ?? null;
    const last = this.#last;
    if (
      last !== null &&
      last.owner === owner &&
      last.peer === peer &&
      last.reason === reason &&
      last.onBehalfOf === onBehalfOf &&
      last.name === name &&
      last.nameSource === nameSource &&
      last.category === category &&
      last.application === application &&
      last.asked === asked &&
      last.ja4 === ja4 &&
      last.ja4s === ja4s
    )
      return last;
    const domain = number < 0 || facts === null ? null : facts.domainOf(number);
    const [app, peerApp] = [this.#appName(owner), this.#appName(peer)];
    const named = { name, nameSource, domain, category, application, asked, ja4, ja4s };
    this.#last = { app, owner, reason, onBehalfOf, peerApp, peer, ...named };
    return this.#last;
  }

  #process(number: number): Process | null {
    return number === NO_OWNER ? null : (this.#parts.directory.process(number) ?? null);
  }

  #appName(process: Process | null): string | null {
    return process === null ? null : (this.#parts.directory.app(process.app)?.name ?? null);
  }
}
