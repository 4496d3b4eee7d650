import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SwitchSource } from '../../../src/capture/switch-source.ts';
import { PktapSuccessor, RouteWatch } from '../../../src/pipeline/route-watch.ts';
import { fakeEdges } from '../../support/fake-edges.ts';
import { FakeSource } from '../../support/fake-source.ts';

const HEAD = 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n';
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nmt-route-'));
  mkdirSync(join(folder, 'net'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Writes the routing table: the default route over `name`, or none. */
function route(name: string | null): void {
  const line = name === null ? '' : `${name}\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n`;
  writeFileSync(join(folder, 'net/route'), HEAD + line);
}

function begin(opens = true) {
  const taken: string[] = [];
  let active: readonly string[] = ['eth0'];
  const choice = {
    isUsers: false,
    take: (interfaces: readonly string[], by?: string) => {
      taken.push(`${by} ${interfaces.join(' ')}`);
      if (opens) active = interfaces;
      return Promise.resolve({ isTaken: opens, text: opens ? 'capturing' : 'the capture stays as it was: no rights' });
    },
  };
  const base = fakeEdges({ platform: 'linux' });
  const edges = { ...base, paths: { ...base.paths, proc: folder } };
  return { watch: new RouteWatch({ choice, active: () => active, edges }), choice, taken };
}

describe('the default route', () => {
  it('opens nothing if it stays', async () => {
    route('eth0');
    const { watch, taken } = begin();
    expect([await watch.look(), taken]).toEqual([null, []]);
  });

  it('moves the capture along, once', async () => {
    route('wlan0');
    const { watch, taken } = begin();
    expect(await watch.look()).toBe('the default route moved from eth0 to wlan0');
    expect(await watch.look()).toBe(null);
    expect(taken).toEqual(['route wlan0']);
  });

  it('leaves the capture in place if it disappears', async () => {
    route(null);
    const { watch, taken } = begin();
    expect([await watch.look(), taken]).toEqual([null, []]);
  });

  it('says so if the new interface can’t be opened', async () => {
    route('wlan0');
    const { watch } = begin(false);
    expect(await watch.look()).toMatch(/from eth0 to wlan0; the capture stays as it was: no rights/);
  });

  it('isn’t followed any more once the user chose an interface', async () => {
    route('wlan0');
    const { watch, choice, taken } = begin();
    choice.isUsers = true;
    expect([await watch.look(), taken]).toEqual([null, []]);
  });

  it('is read every two seconds', () => {
    const { watch } = begin();
    expect([0, 100, 1999, 2000, 2001].map((now) => watch.isDue(now))).toEqual([true, false, false, true, false]);
  });
});

describe('a PKTAP capture of libpcap', () => {
  function lose(first: FakeSource, open: () => FakeSource) {
    const opened: FakeSource[] = [];
    first.namesProcesses = true;
    first.note = 'pktap: The interface disappeared';
    const source = new SwitchSource({ source: first, fallbacks: [] });
    const successor = new PktapSuccessor(source, async () => {
      const next = open();
      opened.push(next);
      return { source: next, fallbacks: [] };
    });
    return { source, successor, opened };
  }
  const tcpdump = (namesProcesses = true) => Object.assign(new FakeSource('tcpdump', ['en0']), { namesProcesses });

  it('is replaced only when lost, by what the user can open', async () => {
    const first = new FakeSource('libpcap', ['en0']);
    const { source, successor, opened } = lose(first, tcpdump);
    expect([successor.isDue(), await successor.look(), opened.length]).toEqual([false, null, 0]);
    first.state = 'lost';
    expect(await successor.look()).toBe(
      'the capture through libpcap was lost (pktap: The interface disappeared); tcpdump continues',
    );
    expect([source.driver, source.state, first.state]).toEqual(['tcpdump', 'open', 'ended']);
    (opened[0] as FakeSource).state = 'lost';
    expect([await successor.look(), opened.length]).toEqual([null, 1]);
  });

  it('is lost if nothing can be opened, or nothing that names processes', async () => {
    const failing = lose(Object.assign(new FakeSource(), { state: 'lost' }), () => {
      throw new Error('no');
    });
    expect(await failing.successor.look()).toBeNull();
    const plain = lose(Object.assign(new FakeSource(), { state: 'lost' }), () => tcpdump(false));
    expect(await plain.successor.look()).toBeNull();
    expect([plain.source.driver, plain.opened[0]?.state]).toEqual(['libpcap', 'ended']);
  });
});
