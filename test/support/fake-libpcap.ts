// A libpcap whose devices, frames and failures a test decides; every call is recorded.

import { endianness } from 'node:os';
import type { Dump, LibpcapCalls, PcapStat, Pointer } from '../../src/capture/libpcap/calls.ts';

/** A device as the library finds it. Change it while handles are open. */
export interface FakeDevice {
  link: number;
  /** What `pcap_activate` returns; negative fails with `error`. */
  activate?: number;
  /** Link type after `pcap_set_want_pktap`; as `link` without. */
  pktapLink?: number;
  /** Waiting to be dispatched. */
  frames: { data: Uint8Array; wire?: number; time?: number }[];
  /** Set: `pcap_dispatch` fails with this text. */
  failure?: string | undefined;
  error?: string;
  stat: PcapStat;
  /** Programs whose installation fails. */
  refusesFilter?: boolean;
}

interface FakeHandle {
  readonly device: string;
  wantsPktap: boolean;
  link: number;
  open: boolean;
}

/** As Apple's: what libpcap is handed is no stream. */
class FakeDump implements Dump {
  readonly memory: Buffer;
  readonly dumper: FakeDump = this;
  at = 0;

  constructor(memory: Buffer) {
    this.memory = memory;
  }

  flush(): number {
    return this.at;
  }

  rewind(): void {
    this.at = 0;
  }
}

/** A device that is up and silent. */
export function fakeDevice(link: number, more: Partial<FakeDevice> = {}): FakeDevice {
  return { link, frames: [], stat: { recv: 0, drop: 0, ifdrop: 0 }, ...more };
}

/** The library. */
export class FakeLibpcap implements LibpcapCalls {
  readonly version = 'fake';
  readonly devices: Record<string, FakeDevice>;
  /** `function device argument`, in order. */
  readonly calls: string[] = [];
  readonly programs: Buffer[] = [];
  readonly handles: FakeHandle[] = [];
  /** What `compile` answers; null is a syntax error. */
  compiled: Buffer | null = null;
  setWantPktap: LibpcapCalls['setWantPktap'] = null;
  bufferSize: LibpcapCalls['bufferSize'] = null;
  /** By the kernel's number. */
  readonly interfaceNames = new Map([
    [1, 'lo'],
    [2, 'eth0'],
    [3, 'eth1'],
  ]);
  /** Largest batch asked for. */
  limit = 0;

  constructor(devices: Record<string, FakeDevice>, hasPktap = false) {
    this.devices = devices;
    if (hasPktap) {
      this.setWantPktap = (handle, want) => {
        (handle as FakeHandle).wantsPktap = want === 1;
        return this.#note('want_pktap', handle, want);
      };
    }
  }

  /** Handles that were opened and not closed. */
  get open(): string[] {
    return this.handles.filter(({ open }) => open).map(({ device }) => device);
  }

  create(device: string, _error: Buffer): Pointer {
    const handle = { device, wantsPktap: false, link: -1, open: true };
    this.handles.push(handle);
    this.#note('create', handle);
    return handle;
  }
  setSnaplen = (handle: Pointer, bytes: number) => this.#note('snaplen', handle, bytes);
  setBufferSize = (handle: Pointer, bytes: number) => this.#note('buffer', handle, bytes);
  setTimeout = (handle: Pointer, ms: number) => this.#note('timeout', handle, ms);
  setNonblock = (handle: Pointer, on: number, _error: Buffer) => this.#note('nonblock', handle, on);

  activate(handle: Pointer): number {
    this.#note('activate', handle);
    const device = this.#device(handle);
    if (device === undefined) return -5;
    const each = handle as FakeHandle;
    each.link = each.wantsPktap ? (device.pktapLink ?? device.link) : device.link;
    return device.activate ?? 0;
  }

  geterr = (handle: Pointer): string => {
    const device = this.#device(handle);
    return device === undefined
      ? `${(handle as FakeHandle).device}: No such device exists`
      : (device.failure ?? device.error ?? '');
  };
  statustostr = (status: number): string =>
    status === -8 ? "You don't have permission to capture on that device" : `status ${status}`;
  datalink = (handle: Pointer): number => (handle as FakeHandle).link;

  setDatalink(handle: Pointer, link: number): number {
    (handle as FakeHandle).link = link;
    return this.#note('set_datalink', handle, link);
  }

  stats(handle: Pointer, stat: PcapStat): number {
    const device = this.#device(handle);
    if (device === undefined) return -1;
    Object.assign(stat, device.stat);
    return 0;
  }

  close(handle: Pointer): void {
    const each = handle as FakeHandle;
    if (!each.open) throw new Error(`${each.device} was closed twice`);
    each.open = false;
    this.#note('close', handle);
  }

  openDead(link: number, _snaplen: number): Pointer {
    const handle = { device: `dead-${link}`, wantsPktap: false, link, open: true };
    this.handles.push(handle);
    return handle;
  }

  compile(handle: Pointer, expression: string): Buffer | null {
    this.#note('compile', handle, expression);
    return this.compiled;
  }

  setFilter(handle: Pointer, instructions: Buffer): number {
    this.#note('filter', handle, instructions.length / 8);
    this.programs.push(instructions);
    return this.#device(handle)?.refusesFilter === true ? -1 : 0;
  }

  interfaceName(index: number): string | null {
    this.calls.push(`name ${index}`);
    return this.interfaceNames.get(index) ?? null;
  }

  openDump(handle: Pointer, memory: Buffer): Dump {
    this.#note('dump', handle);
    return new FakeDump(memory);
  }

  dispatch(handle: Pointer, limit: number, dump: Dump): number {
    const each = handle as FakeHandle;
    if (!each.open) throw new Error(`${each.device} is used after it was closed`);
    this.limit = Math.max(this.limit, limit);
    const device = this.#device(handle);
    if (device === undefined || device.failure !== undefined) return -1;
    const taken = device.frames.splice(0, limit);
    for (const { data, wire = data.length, time = 0 } of taken) {
      const to = dump.dumper as FakeDump;
      const seconds = Math.floor(time / 1000);
      const view = new DataView(to.memory.buffer, to.memory.byteOffset + to.at);
      const little = endianness() === 'LE';
      for (const [i, value] of [seconds, Math.round((time - seconds * 1000) * 1000), data.length, wire].entries())
        view.setUint32(4 * i, value, little);
      to.memory.set(data, to.at + 16);
      to.at += 16 + data.length;
    }
    return taken.length;
  }

  #device(handle: Pointer): FakeDevice | undefined {
    return this.devices[(handle as FakeHandle).device];
  }

  #note(name: string, handle: Pointer, argument: string | number = ''): number {
    this.calls.push(`${name} ${(handle as FakeHandle).device} ${argument}`.trim());
    return 0;
  }
}
