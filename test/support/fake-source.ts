// A capture that gives what a test puts into it, a monitor over it, and an output that remembers what it was told.

import { PacketBatch } from '../../src/capture/batch.ts';
import type { CounterTracker } from '../../src/capture/devices/counters.ts';
import { interfaceKind } from '../../src/capture/devices/kind.ts';
import type { CapturedProcess, CaptureInterface, CaptureStats, PacketSource, SourceState } from '../../src/capture/source.ts';
import { Localizer } from '../../src/flow/direction.ts';
import { FlowTable } from '../../src/flow/flow-table.ts';
import type { Categories } from '../../src/identify/category/categories.ts';
import { FlowNames } from '../../src/identify/name/flow-names.ts';
import { Directory, Users } from '../../src/identify/process/directory.ts';
import { Owners } from '../../src/identify/process/owners.ts';
import { CapturedSource } from '../../src/identify/process/recorded.ts';
import type { KeepOptions } from '../../src/model/packets.ts';
import type { FlowRow, Gap, Snapshot } from '../../src/model/snapshot.ts';
import { NOWHERE } from '../../src/model/terms.ts';
import type { Output, Turn } from '../../src/output/output.ts';
import { Inspection } from '../../src/pipeline/inspection.ts';
import { Monitor } from '../../src/pipeline/monitor.ts';
import { addresses } from './packets.ts';

export interface FakeFrame {
  readonly data: Uint8Array;
  readonly time?: number;
  readonly wire?: number;
  readonly link?: number;
  readonly iface?: number;
  readonly direction?: number;
  readonly process?: number;
  readonly effective?: number;
}

/** The source. Set its state and note as a driver would. */
export class FakeSource implements PacketSource {
  delayMs = 0;
  begin?: () => void;
  readonly driver: PacketSource['driver'];
  readonly interfaces: CaptureInterface[];
  readonly processes: CapturedProcess[] = [{ pid: -1, name: '' }];
  readonly snapLength = { bulk: 160, whole: 16_640 };
  readonly bufferBytes = null;
  namesProcesses = false;
  state: SourceState = 'open';
  note = '';
  counters: CaptureStats = { received: 0, droppedByKernel: null, droppedByInterface: null, shed: 0, malformed: 0 };
  reads = 0;
  readonly #batches: FakeFrame[][] = [];

  constructor(driver: PacketSource['driver'] = 'libpcap', names: readonly string[] = ['eth0']) {
    this.driver = driver;
    this.interfaces = names.map((name) => this.named(name));
  }

  named(name: string, deliversTwice = false): CaptureInterface {
    return { name, kind: interfaceKind(name), link: 1, deliversTwice };
  }

  /** Frames of one batch. */
  push(...frames: FakeFrame[]): void {
    this.#batches.push(frames);
  }

  read(): PacketBatch | null {
    this.reads++;
    const frames = this.#batches.shift();
    if (frames === undefined) {
      if (this.driver === 'file' && this.state === 'open') this.state = 'ended';
      return null;
    }
    const batch = new PacketBatch(frames.length, Buffer.concat(frames.map(({ data }) => data)));
    let at = 0;
    for (const [i, { data, time = 0, wire = data.length, link = 1, iface = 0, ...rest }] of frames.entries()) {
      batch.offset[i] = at;
      batch.captured[i] = data.length;
      batch.wire[i] = wire;
      batch.time[i] = time;
      batch.link[i] = link;
      batch.iface[i] = iface;
      batch.direction[i] = rest.direction ?? 0;
      batch.process[i] = rest.process ?? 0;
      batch.effective[i] = rest.effective ?? 0;
      at += data.length;
    }
    batch.count = frames.length;
    return batch;
  }

  stats(): CaptureStats {
    return this.counters;
  }

  close(): void {
    this.state = 'ended';
  }
}

export interface MonitorSetup {
  readonly lower?: (name: string) => readonly string[];
  readonly hardware?: (name: string) => Uint8Array | null;
  readonly named?: readonly string[];
  readonly replay?: boolean;
  readonly own?: readonly string[];
  readonly tracker?: CounterTracker;
  readonly started?: number;
  /** Names flows, and sorts them by these; without it they stay addresses. */
  readonly naming?: Categories;
  /** Keeps frames. */
  readonly keep?: KeepOptions;
}

/** A monitor over a source; owners are those the source names. */
export function monitorOver(source: FakeSource, setup: MonitorSetup = {}) {
  const replay = setup.replay ?? false;
  const localizer = new Localizer(replay);
  localizer.setAddresses(addresses(...(setup.own ?? ['10.0.0.1'])));
  const flows = new FlowTable(localizer, 4096, 1);
  const directory = new Directory(new Users('/nonexistent/passwd'));
  const captured = source.namesProcesses ? new CapturedSource('pktap', flows, directory, () => source.processes) : null;
  const owners = new Owners(flows, captured, replay);
  const { naming } = setup;
  const names = naming === undefined ? null : new FlowNames(flows, directory, naming, () => NOWHERE, null, 1);
  const monitor = new Monitor({
    opened: { source, fallbacks: [{ driver: 'cap', reason: 'not built' }] },
    named: setup.named ?? [],
    file: replay ? 'file.pcap' : null,
    started: setup.started ?? 0,
    directory,
    flows,
    owners,
    skipped: [],
    tracker: setup.tracker ?? null,
    hasPhysical: false,
    repeats: (name) => name.startsWith('veth'),
    lower: setup.lower ?? (() => []),
    hardware: setup.hardware ?? (() => null),
    inspection: names === null ? null : new Inspection(flows, names),
    places: null,
    reverseDns: false,
    events: null,
    watcher: null,
    keep: setup.keep ?? null,
    kindsOf: (interfaces) => interfaces.map(interfaceKind),
    link: () => null,
    seed: 1,
  });
  return { monitor, localizer, flows, owners, directory, names };
}

/** Remembers. */
export class FakeOutput implements Output {
  readonly wantsEvents: boolean;
  readonly samples: Snapshot[] = [];
  readonly gaps: Gap[] = [];
  /** `sample 0`, `open 1`, `close 1`, `gap sleep`, `end` in order. */
  readonly told: string[] = [];
  readonly rows: FlowRow[] = [];
  last: Snapshot | null = null;
  onSample: (snapshot: Snapshot) => void = () => {};

  constructor(wantsEvents = false) {
    this.wantsEvents = wantsEvents;
  }

  sample(snapshot: Snapshot, _turn?: Turn): void | Promise<void> {
    this.told.push(`sample ${snapshot.seq}`);
    this.samples.push(snapshot);
    this.onSample(snapshot);
  }

  opened(flow: FlowRow): void {
    this.told.push(`open ${flow.id}`);
    this.rows.push(flow);
  }

  closed(flow: FlowRow): void {
    this.told.push(`close ${flow.id}`);
    this.rows.push(flow);
  }

  gap(gap: Gap): void {
    this.told.push(`gap ${gap.reason}`);
    this.gaps.push(gap);
  }

  end(snapshot: Snapshot): Promise<void> {
    this.told.push('end');
    this.last = snapshot;
    return Promise.resolve();
  }
}
