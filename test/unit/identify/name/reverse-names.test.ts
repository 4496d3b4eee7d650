import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ReverseNames, type ReverseResolver } from '../../../../src/identify/name/reverse-names.ts';
import { Naming } from '../../../support/naming.ts';

/** Answers on the test's command. */
class FakeResolver implements ReverseResolver {
  readonly asked: string[] = [];
  readonly #open = new Map<string, { resolve(names: readonly string[]): void; reject(thrown: Error): void }>();

  reverse(address: string): Promise<readonly string[]> {
    this.asked.push(address);
    return new Promise((resolve, reject) => this.#open.set(address, { resolve, reject }));
  }

  async answer(address: string, ...names: string[]): Promise<void> {
    this.#open.get(address)?.resolve(names);
    await vi.advanceTimersByTimeAsync(0);
  }

  async refuse(address: string): Promise<void> {
    this.#open.get(address)?.reject(new Error('queryPtr ENOTFOUND'));
    await vi.advanceTimersByTimeAsync(0);
  }
}

const clock = { time: 0, now: () => clock.time, monotonic: () => clock.time };
let m: Naming;
let resolver: FakeResolver;
let reverse: ReverseNames;

beforeEach(() => {
  vi.useFakeTimers();
  clock.time = 1_000_000;
  m = new Naming();
  resolver = new FakeResolver();
  reverse = new ReverseNames(m.flows, m.names, resolver, clock);
  m.onNameless = (row) => reverse.offer(row);
});
afterEach(() => {
  reverse.close();
  vi.useRealTimers();
});

function later(ms: number): void {
  clock.time += ms;
  reverse.work();
}
let port = 50_000;
const open = (dst: string) => m.open({ dst, sport: port++ });

describe('reverse look-ups', () => {
  it('ask for a flow without a name after three seconds, and rank below every other source', async () => {
    const row = open('203.0.113.9');
    later(2999);
    expect(resolver.asked).toEqual([]);
    later(1);
    expect(resolver.asked).toEqual(['203.0.113.9']);
    await resolver.answer('203.0.113.9', 'Host-9.ISP.example.');
    expect(m.told(row)).toBe('host-9.isp.example ptr');
    m.answer('www.example', '203.0.113.9');
    expect(m.told(row)).toBe('www.example dns');
  });

  it('don’t ask if a name came meanwhile, or the flow is gone', () => {
    const named = open('203.0.113.1');
    const gone = open('203.0.113.2');
    m.names.serverName(named, 'tls', 'www.example', false);
    m.flows.remove(gone);
    open('203.0.113.3');
    later(5000);
    expect(resolver.asked).toEqual(['203.0.113.3']);
  });

  it.each([
    '10.1.2.3',
    '192.168.1.1',
    '172.16.0.1',
    '100.64.0.1',
    '169.254.3.4',
    '127.0.0.1',
    '224.0.0.251',
    '255.255.255.255',
    'fe80::1',
    'fd00::1',
    'ff02::fb',
    '::1',
  ])('never ask for %s', (address) => {
    open(address);
    later(60_000);
    expect(resolver.asked).toEqual([]);
  });

  it('ask once per address, and name all flows to it', async () => {
    const rows = [open('203.0.113.9'), open('203.0.113.9')];
    later(3000);
    rows.push(open('203.0.113.9'));
    later(3000);
    await resolver.answer('203.0.113.9', 'nine.example');
    expect(resolver.asked).toEqual(['203.0.113.9']);
    rows.push(open('203.0.113.9'));
    later(3000);
    expect(rows.map((row) => m.told(row))).toEqual(Array.from({ length: 4 }, () => 'nine.example ptr'));
    expect(resolver.asked).toEqual(['203.0.113.9']);
  });

  it('ask again after an hour, or after 15 minutes if there was no name', async () => {
    open('203.0.113.1');
    open('203.0.113.2');
    later(3000);
    await resolver.answer('203.0.113.1', 'one.example');
    await resolver.refuse('203.0.113.2');
    const again = (ms: number) => {
      clock.time += ms;
      open('203.0.113.1');
      open('203.0.113.2');
      later(3000);
      return resolver.asked.splice(0);
    };
    resolver.asked.length = 0;
    expect(again(800_000)).toEqual([]);
    expect(again(100_000)).toEqual(['203.0.113.2']);
    expect(again(2_700_000)).toContain('203.0.113.1');
  });

  it('run four at once while the others wait', async () => {
    for (let i = 1; i <= 10; i++) open(`203.0.113.${i}`);
    later(3000);
    expect(resolver.asked).toEqual([1, 2, 3, 4].map((i) => `203.0.113.${i}`));
    await resolver.answer('203.0.113.2', 'two.example');
    expect(resolver.asked).toHaveLength(5);
    await resolver.refuse('203.0.113.1');
    expect(resolver.asked.slice(4)).toEqual(['203.0.113.5', '203.0.113.6']);
  });

  it('queue only as many as fit, and count the others', () => {
    for (let i = 0; i < 300; i++) open(`203.0.${113 + (i >> 8)}.${i & 255}`);
    expect(reverse.skipped).toBe(300 - 256);
    later(3000);
    expect(resolver.asked).toHaveLength(4);
  });

  it('give up on a silent resolver, and continue with the next one', async () => {
    const rows = Array.from({ length: 5 }, (_, i) => open(`203.0.113.${i + 1}`));
    later(3000);
    expect(resolver.asked).toHaveLength(4);
    await vi.advanceTimersByTimeAsync(5000);
    expect(resolver.asked).toHaveLength(5);
    await resolver.answer('203.0.113.1', 'too-late.example');
    expect(m.names.nameOf(rows[0] as number)).toBe(-1);
  });

  it.each([
    ['control characters', ['\x1b[31mevil'], null],
    ['an address in disguise', ['203.0.113.9'], null],
    ['nothing', [], null],
    ['what is too long', [`${'a.'.repeat(200)}example`], null],
    ['no name before one', ['bad name', 'good.example'], 'good.example ptr'],
    ['what is no text', [null as unknown as string, {} as unknown as string], null],
  ])('check what they are told: %s', async (_, names, told) => {
    const row = open('203.0.113.9');
    later(3000);
    await resolver.answer('203.0.113.9', ...names);
    expect(m.names.nameOf(row) < 0 ? null : m.told(row)).toBe(told);
  });

  it('don’t name the next flow in the row', async () => {
    const row = open('203.0.113.9');
    later(3000);
    m.flows.remove(row);
    expect(open('203.0.113.10')).toBe(row);
    await resolver.answer('203.0.113.9', 'nine.example');
    expect(m.names.nameOf(row)).toBe(-1);
  });

  it('run by themselves from start to close', async () => {
    open('203.0.113.9');
    clock.time += 3000;
    reverse.start();
    await vi.advanceTimersByTimeAsync(250);
    expect(resolver.asked).toEqual(['203.0.113.9']);
    const row = open('203.0.113.8');
    reverse.close();
    clock.time += 3000;
    await vi.advanceTimersByTimeAsync(1000);
    reverse.work();
    await resolver.answer('203.0.113.9', 'nine.example');
    expect([resolver.asked, m.names.nameOf(row)]).toEqual([['203.0.113.9'], -1]);
  });
});
