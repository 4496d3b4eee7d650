// The feed tells the watch of each flow once and of each contact once, whenever its owner and its name become known, and of every byte that an
// app sent, once.

import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Aggregator, LIVE_LIMITS } from '../../../src/aggregate/aggregator.ts';
import type { Alert } from '../../../src/model/alert.ts';
import type { Snapshot, TickInterface } from '../../../src/model/snapshot.ts';
import type { Watcher, WatchFlow } from '../../../src/model/watch.ts';
import { formatAddress } from '../../../src/net/address.ts';
import { PROTOCOL } from '../../../src/net/numbers.ts';
import { Naming } from '../../support/naming.ts';
import { CAPTURE, UNCOUNTED } from '../../support/snapshot-builder.ts';

const ETHERNET: TickInterface = { name: 'eth0', kind: 'physical', isCounted: true, ...UNCOUNTED };
const WEB = '203.0.113.9';

/** Keeps what it hears as text. */
class Listener implements Watcher {
  wantsMoved = false;
  heard: string[] = [];
  readonly ends: string[] = [];
  readonly bytes = new Map<string, number>();
  readonly alerts: readonly Alert[] = [];
  met(flow: WatchFlow): void {
    const { app, host, direction, remote, isAnswered, isOutside } = flow;
    this.heard.push(
      `met ${app} ${direction} ${host}:${remote.port}${isAnswered ? ' answered' : ''}${isOutside ? '' : ' inside'}`,
    );
  }
  began({ app, host, direction, isAnswered }: WatchFlow): void {
    this.heard.push(`began ${app} ${direction} ${host}${isAnswered ? ' answered' : ''}`);
  }
  renamed({ app, host, appNumber, hostNumber }: WatchFlow, formerApp: number, formerHost: number): void {
    const what = [...(appNumber === formerApp ? [] : [app]), ...(hostNumber === formerHost ? [] : [host])];
    this.heard.push(`renamed ${what.join(' ')}`);
  }
  answered({ app, host }: WatchFlow): void {
    this.heard.push(`answered ${app} ${host}`);
  }
  left({ app, host, rxBytes, txBytes }: WatchFlow): void {
    this.ends.push(`${app} ${host} ${rxBytes + txBytes}`);
  }
  asked({ asked }: WatchFlow): void {
    this.heard.push(`asked ${asked?.name}`);
  }
  moved({ app, movedRx, movedTx }: WatchFlow): void {
    this.heard.push(`moved ${app} ${movedRx} ${movedTx}`);
  }
  sent(app: string, bytes: number): void {
    this.bytes.set(app, (this.bytes.get(app) ?? 0) + bytes);
  }
  tick(): readonly Alert[] {
    return this.alerts;
  }
}

let m: Naming;
let aggregator: Aggregator;
let listener: Listener;

beforeEach(() => begin());

function begin(): void {
  m = new Naming({ maxRows: 64 });
  listener = new Listener();
  aggregator = m.aggregator(undefined, listener);
  aggregator.setInterfaces([ETHERNET]);
}

function snapshot(): Snapshot {
  m.time += 1000;
  const parts = { time: m.time, intervalMs: 1000, capture: CAPTURE, interfaces: [ETHERNET], gaps: [] };
  return aggregator.tick(parts, LIVE_LIMITS);
}

/** @returns what was told in this tick */
function tick(): string[] {
  expect(snapshot().alerts).toBe(listener.alerts);
  const { heard } = listener;
  listener.heard = [];
  return heard;
}

describe('the feed', () => {
  test('tells of a contact once, and of each flow', () => {
    m.open({ dst: WEB, flags: 'S', sport: 50_000 }, 'curl');
    expect(tick()).toEqual([`met curl outbound ${WEB}:443`, `began curl outbound ${WEB}`]);
    m.send({ dst: WEB, sport: 50_000 });
    expect(tick()).toEqual([]);
    m.open({ dst: WEB, flags: 'S', sport: 50_001 }, 'curl');
    expect(tick()).toEqual([`began curl outbound ${WEB}`]);
    m.open({ dst: WEB, dport: 80, flags: 'S', sport: 50_002 }, 'curl');
    expect(tick()).toEqual([`met curl outbound ${WEB}:80`, `began curl outbound ${WEB}`]);
  });

  test('waits for an owner, and tells of a name that comes late', () => {
    const row = m.open({ dst: WEB, flags: 'S' });
    expect(tick()).toEqual([]);
    m.own(row, 'curl');
    expect(tick()).toEqual([`met curl outbound ${WEB}:443`, `began curl outbound ${WEB}`]);
    m.names.serverName(row, 'tls', 'www.example.com', false);
    expect(tick()).toEqual(['met curl outbound www.example.com:443', 'renamed www.example.com']);
  });

  test('tells of a flow that leaves before the tick, even without an owner', () => {
    m.flows.remove(m.open({ dst: WEB, flags: 'S' }, 'curl'));
    m.flows.remove(m.open({ dst: WEB, flags: 'S', sport: 50_001 }));
    expect(tick()).toEqual([
      `met curl outbound ${WEB}:443`,
      `began curl outbound ${WEB}`,
      `met null outbound ${WEB}:443`,
      `began null outbound ${WEB}`,
    ]);
    expect(listener.ends).toEqual([`curl ${WEB} 40`, `null ${WEB} 40`]);
  });

  test('tells of a caller again once it is let in', () => {
    const call = { src: '10.0.0.1', dst: WEB, sport: 22, dport: 40_000 };
    m.own(m.receive({ ...call, flags: 'S' }), 'sshd');
    expect(tick()).toEqual([`met sshd inbound ${WEB}:40000`, `began sshd inbound ${WEB}`]);
    m.send({ ...call, flags: 'SA' });
    expect(tick()).toEqual([]);
    m.receive({ ...call, flags: 'A' });
    expect(tick()).toEqual([`met sshd inbound ${WEB}:40000 answered`, `answered sshd ${WEB}`]);
    expect(tick()).toEqual([]);
  });

  test('knows who answered, and neighbours', () => {
    m.open({ dst: WEB, flags: 'S' }, 'curl');
    m.receive({ dst: WEB, flags: 'R' });
    m.open({ dst: '10.0.0.9', protocol: PROTOCOL.UDP, dport: 9 }, 'nc');
    m.receive({ dst: '10.0.0.9', protocol: PROTOCOL.UDP, dport: 9 });
    expect(tick().filter((text) => text.startsWith('met'))).toEqual([
      `met curl outbound ${WEB}:443`,
      'met nc outbound 10.0.0.9:9 answered inside',
    ]);
  });

  test('leaves local flows out', () => {
    m.open({ dst: '127.0.0.1', flags: 'S', bytes: 900 }, 'curl');
    expect(tick()).toEqual([]);
    expect([...listener.bytes]).toEqual([]);
  });

  test('tells what questions are asked, and what moved if that is wanted', () => {
    listener.wantsMoved = true;
    const row = m.open({ dst: '192.0.2.53', protocol: PROTOCOL.UDP, dport: 53, bytes: 70 }, 'dig');
    m.names.asked(row, Uint8Array.from([1, 97, 1, 98]), 4);
    expect(tick().slice(2)).toEqual(['asked a.b', 'moved dig 0 70']);
  });

  test('tells what moved once its owner is known, and all of it', () => {
    listener.wantsMoved = true;
    const told = () => tick().filter((text) => text.startsWith('moved'));
    const row = m.open({ dst: WEB, flags: 'S', bytes: 100 });
    m.receive({ dst: WEB, bytes: 9000 });
    expect(told()).toEqual([]);
    m.send({ dst: WEB, bytes: 50 });
    expect(told()).toEqual([]);
    m.own(row, 'curl');
    expect(told()).toEqual(['moved curl 9000 150']);
    m.send({ dst: WEB, bytes: 25 });
    expect(told()).toEqual(['moved curl 0 25']);
    m.flows.remove(row);
    m.flows.remove(m.open({ dst: WEB, flags: 'S', bytes: 11 }));
    expect(told()).toEqual(['moved curl 0 0', 'moved null 0 11']);
  });

  test('counts what an app sent once, whenever its owner was found, until the flow leaves', () => {
    const row = m.open({ dst: WEB, flags: 'S', bytes: 100 });
    tick();
    m.send({ dst: WEB, bytes: 50 });
    m.own(row, 'curl');
    tick();
    m.send({ dst: WEB, bytes: 25 });
    m.receive({ dst: WEB, bytes: 9000 });
    tick();
    m.send({ dst: WEB, bytes: 7 });
    m.flows.remove(row);
    tick();
    expect([...listener.bytes]).toEqual([['curl', 182]]);
    m.open({ dst: WEB, flags: 'S', bytes: 11 }, 'curl');
    tick();
    expect([...listener.bytes]).toEqual([['curl', 193]]);
  });

  test('agrees with the totals of apps, whatever flows do', () => {
    const at = { to: fc.constantFrom(WEB, '192.0.2.1', '2001:db8:1::1'), port: fc.integer({ min: 1, max: 2 }) };
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({ kind: fc.constantFrom('send' as const, 'receive' as const), bytes: fc.nat(5000), ...at }),
      },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('own' as const), app: fc.constantFrom('curl', 'ssh'), ...at }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('remove' as const, 'disown' as const), ...at }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('tick' as const), ...at }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        begin();
        for (const { kind, to, port, ...more } of steps) {
          const from = to.includes(':') ? '2001:db8::1' : '10.0.0.1';
          const packet = {
            src: from,
            dst: to,
            sport: 50_000,
            dport: port,
            flags: 'A',
            bytes: 40 + ('bytes' in more ? more.bytes : 0),
          };
          const row = Array.from({ length: m.flows.rows }, (_, each) => each).find(
            (each) =>
              m.flows.isLive(each) &&
              m.flows.remotePort(each) === port &&
              formatAddress(m.flows.words, m.flows.remoteAt(each)) === to,
          );
          if (kind === 'send') m.send(packet);
          else if (kind === 'receive') m.receive(packet);
          else if (kind === 'tick') tick();
          else if (row === undefined) continue;
          else if (kind === 'remove') m.flows.remove(row);
          else if (m.flows.owner(row) >= 0) continue;
          else if (kind === 'disown') m.flows.disown(row, 'hidden by the system');
          else m.own(row, 'app' in more ? more.app : '');
        }
        tick();
        const { apps } = snapshot();
        for (const app of ['curl', 'ssh']) {
          const sent = apps.filter((row) => row.app === app).reduce((sum, { txBytes }) => sum + txBytes, 0);
          expect(listener.bytes.get(app) ?? 0, app).toBe(sent);
        }
      }),
      { numRuns: 300 },
    );
  });
});
