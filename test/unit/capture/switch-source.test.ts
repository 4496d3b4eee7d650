// Another capture in place of the one before: numbers of interfaces and processes hold, counters go on, a failure changes nothing.

import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Opener } from '../../../src/capture/opener.ts';
import type { CaptureRequest, PacketSource } from '../../../src/capture/source.ts';
import { SwitchSource } from '../../../src/capture/switch-source.ts';
import { NetmonError } from '../../../src/model/errors.ts';
import { InterfaceChoice } from '../../../src/pipeline/interface-choice.ts';
import type { Edges } from '../../../src/system/edges.ts';
import { systemEdges } from '../../../src/system/programs.ts';
import { fakeEdges } from '../../support/fake-edges.ts';
import { FakeSource } from '../../support/fake-source.ts';

const FRAME = new Uint8Array(60);

function read(source: PacketSource): { iface: number[]; process: number[]; effective: number[] } | null {
  const batch = source.read();
  if (batch === null) return null;
  const of = (column: Uint16Array) => [...column.subarray(0, batch.count)];
  return { iface: of(batch.iface), process: of(batch.process), effective: of(batch.effective) };
}

describe('a switch', () => {
  test('says whether the driver behind it starts programs, whose rights to do so must stay', () => {
    const cap = Object.assign(new FakeSource('cap', ['eth0']), { startsPrograms: true });
    expect(new SwitchSource({ source: cap, fallbacks: [] }).startsPrograms).toBe(true);
    expect(new SwitchSource({ source: new FakeSource('libpcap', ['eth0']), fallbacks: [] }).startsPrograms).toBe(false);
  });

  test('keeps the numbers of interfaces, also of one that comes back', () => {
    const first = new FakeSource('libpcap', ['eth0', 'wlan0']);
    const source = new SwitchSource({ source: first, fallbacks: [] });
    first.push({ data: FRAME, iface: 1 });
    expect(read(source)?.iface).toEqual([1]);
    const second = new FakeSource('libpcap', ['lo', 'wlan0']);
    source.take({ source: second, fallbacks: [{ driver: 'x', reason: 'y' }] });
    expect(source.interfaces.map(({ name }) => name)).toEqual(['eth0', 'wlan0', 'lo']);
    expect(source.active).toEqual(['lo', 'wlan0']);
    expect(source.fallbacks).toHaveLength(1);
    second.push({ data: FRAME, iface: 0 }, { data: FRAME, iface: 1 });
    expect(read(source)?.iface).toEqual([2, 1]);
    expect(read(source)).toBeNull();
    second.interfaces.push(second.named('tun0'));
    second.push({ data: FRAME, iface: 2 });
    expect(read(source)?.iface).toEqual([3]);
  });

  test('keeps the numbers of processes; none stays none', () => {
    const first = new FakeSource();
    first.processes.push({ pid: 5, name: 'a' });
    const source = new SwitchSource({ source: first, fallbacks: [] });
    const second = new FakeSource();
    second.processes.push({ pid: 9, name: 'b' });
    source.take({ source: second, fallbacks: [] });
    expect(source.processes.map(({ pid }) => pid)).toEqual([-1, 5, 9]);
    second.push({ data: FRAME, process: 1 }, { data: FRAME, process: 0, effective: 1 });
    expect(read(source)).toMatchObject({ process: [2, 0], effective: [0, 2] });
  });

  test('begins the list of processes anew where its source does, and where there are more than frames can refer to', () => {
    const first = Object.assign(new FakeSource(), { processesBegun: 0 });
    first.processes.push({ pid: 5, name: 'a' }, { pid: 6, name: 'b' });
    const source = new SwitchSource({ source: first, fallbacks: [] });
    first.processes.splice(1, 2, { pid: 7, name: 'c' });
    first.processesBegun = 1;
    first.push({ data: FRAME, process: 1 });
    expect(read(source)?.process).toEqual([1]);
    expect([source.processesBegun, source.processes[1]]).toEqual([1, { pid: 7, name: 'c' }]);
    for (let i = 0; i < 30; i++) {
      const next = new FakeSource();
      for (let pid = 0; pid < 5000; pid++) next.processes.push({ pid, name: `${i}` });
      source.take({ source: next, fallbacks: [] });
      next.push({ data: FRAME, process: 4321 });
      const [process = 0] = read(source)?.process ?? [];
      expect(source.processes[process]).toEqual({ pid: 4320, name: `${i}` });
      expect(source.processes[0]).toEqual({ pid: -1, name: '' });
    }
    expect(source.processesBegun).toBe(3);
  });

  test('never writes into the columns of the source, which may rely on them', () => {
    const second = new FakeSource('libpcap', ['lo']);
    const source = new SwitchSource({ source: new FakeSource(), fallbacks: [] });
    source.take({ source: second, fallbacks: [] });
    for (let i = 0; i < 3; i++) {
      second.push({ data: FRAME, iface: 0 });
      expect(read(source)?.iface).toEqual([1]);
    }
  });

  test('adds up what was counted; unknown stays unknown', () => {
    const first = new FakeSource();
    first.counters = { received: 10, droppedByKernel: 2, droppedByInterface: null, shed: 1, malformed: 0 };
    const source = new SwitchSource({ source: first, fallbacks: [] });
    const second = new FakeSource();
    source.take({ source: second, fallbacks: [] });
    second.counters = { received: 5, droppedByKernel: 1, droppedByInterface: 7, shed: 1, malformed: 3 };
    expect(source.stats()).toEqual({ received: 15, droppedByKernel: 3, droppedByInterface: null, shed: 2, malformed: 3 });
  });
});

describe('a choice', () => {
  const request: CaptureRequest = { interfaces: ['eth0'], bpf: 'tcp', bufferBytes: 1 };

  function parts(open: (asked: CaptureRequest) => PacketSource, edges: Edges = { ...systemEdges(), platform: 'linux' }) {
    const source = new SwitchSource({ source: new FakeSource(), fallbacks: [] });
    const asked: CaptureRequest[] = [];
    const opener = {
      open: async (one: CaptureRequest) => {
        asked.push(one);
        return { source: open(one), fallbacks: [] };
      },
    } as unknown as Opener;
    const named: string[] = [];
    const choice = new InterfaceChoice({ source, opener, request, edges, named, counted: () => ['eth0'], followsRoute: true });
    return { source, choice, asked, named };
  }

  test('opens what was chosen with the filter of the run, and counts it with what counted before', async () => {
    const { source, choice, asked, named } = parts(({ interfaces }) => new FakeSource('libpcap', interfaces));
    expect((await choice.take(['lo', 'br0'])).text).toBe('capturing on lo, br0');
    expect(asked).toEqual([{ ...request, interfaces: ['lo', 'br0'] }]);
    expect(named).toEqual(['eth0', 'lo', 'br0']);
    expect(source.active).toEqual(['lo', 'br0']);
    await choice.take([]);
    expect(asked[1]?.interfaces).toEqual(['any']);
  });

  test.runIf(existsSync('/sys/class/net/lo'))('lists what is captured now, and what any would be', async () => {
    const { choice } = parts(({ interfaces }) => new FakeSource('libpcap', interfaces));
    const marked = async () => (await choice.list()).filter(({ isCaptured }) => isCaptured).map(({ name }) => name);
    expect(await marked()).not.toContain('lo');
    await choice.take(['lo']);
    expect(await marked()).toEqual(['lo']);
    await choice.take([]);
    expect(await marked()).toEqual(expect.arrayContaining([null, 'lo']));
  });

  test('that fails leaves the capture as it was, and says why', async () => {
    const { source, choice, named } = parts(() => {
      throw new NetmonError('no-device', 'interface lo is down', 'bring it up');
    });
    expect((await choice.take(['lo'])).text).toBe('the capture stays as it was: interface lo is down');
    expect([source.active, named]).toEqual([['eth0'], []]);
  });

  test('that was refused leaves the default route followed', async () => {
    let isUp = false;
    const { choice } = parts(({ interfaces }) => {
      if (!isUp) throw new NetmonError('no-device', 'interface lo is down', 'bring it up');
      return new FakeSource('libpcap', interfaces);
    });
    expect(await choice.take(['lo'])).toMatchObject({ isTaken: false });
    expect(choice.isUsers).toBe(false);
    isUp = true;
    expect(await choice.take(['lo'])).toMatchObject({ isTaken: true });
    expect(choice.isUsers).toBe(true);
  });

  describe('of the default route', () => {
    const HEAD = 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n';
    function following(name: string | null, refuses = false) {
      const route = name === null ? '' : `${name}\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n`;
      const open = ({ interfaces }: CaptureRequest) => {
        if (refuses && interfaces[0] === name) throw new NetmonError('permission', 'no permission to capture on it', '');
        return new FakeSource('libpcap', interfaces);
      };
      return parts(open, fakeEdges({ platform: 'linux', files: { 'proc/net/route': HEAD + route } }));
    }

    test('captures on its interface, and follows it again', async () => {
      const { source, choice, asked } = following('wlan0');
      await choice.take(['lo']);
      expect(choice.isUsers).toBe(true);
      expect(await choice.follow()).toEqual({ isTaken: true, text: 'following the default route, wlan0 now' });
      expect([choice.isUsers, source.active]).toEqual([false, ['wlan0']]);
      expect((await choice.list())[1]).toMatchObject({ name: null, isRoute: true, isCaptured: true });
      expect(asked).toHaveLength(2);
    });

    test('opens nothing where it is captured already', async () => {
      const { choice, asked } = following('wlan0');
      await choice.take(['wlan0']);
      await choice.follow();
      expect([choice.isUsers, asked.length]).toEqual([false, 1]);
    });

    test.each([
      [null, 'there is no default route'],
      ['wlan0', 'no permission to capture on it'],
    ])('over %s may be refused: what the user chose stays', async (name, why) => {
      const { source, choice } = following(name, true);
      await choice.take(['lo']);
      expect(await choice.follow()).toEqual({ isTaken: false, text: `the capture stays as it was: ${why}` });
      expect([choice.isUsers, source.active]).toEqual([true, ['lo']]);
    });
  });

  test('that would lose the owners is not taken', async () => {
    const blind = new FakeSource('tcpdump', ['lo']);
    blind.namesProcesses = true;
    const { source, choice } = parts(() => blind);
    expect((await choice.take(['lo'])).text).toContain('would lose the owners');
    expect(source.active).toEqual(['eth0']);
  });

  describe('on a Mac', () => {
    function beginMac(interfaces: readonly string[]) {
      const captured = new FakeSource('libpcap', ['en0', 'utun4']);
      captured.namesProcesses = true;
      const source = new SwitchSource({ source: captured, fallbacks: [] });
      const open = () => Promise.reject(new NetmonError('permission', 'no permission to capture on pktap,en1'));
      const named: string[] = [];
      const choice = new InterfaceChoice({
        source,
        opener: { open } as unknown as Opener,
        request: { ...request, interfaces },
        edges: { ...systemEdges(), platform: 'darwin' },
        named,
        counted: () => ['en0'],
        followsRoute: false,
      });
      const ifaces = () => {
        const both = { data: FRAME, iface: 0 };
        captured.push(both, { ...both, iface: 1, process: 3 }, { ...both, iface: 2 });
        return read(source);
      };
      return { captured, source, choice, named, ifaces };
    }

    test('leaves out what PKTAP delivers of others, for which no root is needed', async () => {
      const { captured, source, choice, named, ifaces } = beginMac([]);
      captured.interfaces.push(captured.named('en1'));
      expect((await choice.take(['utun4'])).text).toBe('capturing on utun4');
      expect([source.active, named]).toEqual([['utun4'], ['en0', 'utun4']]);
      captured.processes.push({ pid: 1, name: 'a' }, { pid: 2, name: 'b' }, { pid: 3, name: 'c' });
      expect(ifaces()).toEqual({ iface: [1], process: [3], effective: [0] });
      expect((await choice.take(['en0', 'en7'])).text).toBe('capturing on en0, en7');
      captured.interfaces.push(captured.named('en7'));
      captured.push({ data: FRAME, iface: 1 }, { data: FRAME, iface: 3 });
      expect(read(source)?.iface).toEqual([3]);
      captured.push({ data: FRAME, iface: 1 });
      expect(read(source)?.iface).toEqual([]); // a batch, if an empty one
      expect((await choice.take([])).text).toBe('capturing on all interfaces');
      expect(ifaces()?.iface).toEqual([0, 1, 2]);
      expect(source.active).toEqual(['en0', 'utun4', 'en1', 'en7']);
    });

    test.each([
      [[], ['bridge0']],
      [['en0'], ['en0', 'en1']],
      [['en0'], ['en01']],
    ])('of a capture on %j asks for the rest of %j', async (captured, chosen) => {
      const { source, choice } = beginMac(captured);
      expect((await choice.take(chosen)).text).toBe('the capture stays as it was: no permission to capture on pktap,en1');
      expect(source.active).toEqual(['en0', 'utun4']);
    });

    test.each([
      [['any'], 'bridge0'],
      [[], 'ppp0'],
      [['en1', 'lo0'], 'lo0'],
    ])('a capture on %j has %s', async (captured, chosen) => {
      expect((await beginMac(captured).choice.take([chosen])).text).toBe(`capturing on ${chosen}`);
    });
  });

  test('lists interfaces after the entry for all', async () => {
    const { choice } = parts(() => new FakeSource(), systemEdges());
    const items = await choice.list();
    expect(items[0]?.name).toBeNull();
    expect(items.map(({ name }) => name)).toContain(process.platform === 'darwin' ? 'lo0' : 'lo');
  });
});
