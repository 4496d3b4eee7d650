import { describe, expect, it } from 'vitest';
import { DriverUnavailable } from '../../../src/capture/errors.ts';
import { libpcapHint } from '../../../src/capture/libpcap/handle.ts';
import { DRIVER_TABLE, type DriverTable, Opener, openCapture } from '../../../src/capture/opener.ts';
import type { CaptureRequest, PacketSource } from '../../../src/capture/source.ts';
import { NetmonError } from '../../../src/model/errors.ts';
import { DRIVERS, type DriverName } from '../../../src/model/terms.ts';
import { systemClock } from '../../../src/system/clock.ts';
import type { Edges } from '../../../src/system/edges.ts';
import { fakeEdges, sysfs } from '../../support/fake-edges.ts';
import { NETSTAT } from './macos-texts.ts';

const REQUEST: CaptureRequest = { interfaces: [], bpf: null, bufferBytes: 1 };
const LINUX = fakeEdges({ files: { ...sysfs('eth0', { ifindex: 2 }), ...sysfs('lo', { ifindex: 1 }) } });
const mac = (euid: number) => fakeEdges({ platform: 'darwin', euid, programs: { 'netstat -ibn': { stdout: NETSTAT } } });

/** A table whose drivers do as told; a driver without an entry works. Records which were tried. */
function drivers(answers: Partial<Record<DriverName, unknown>>): { table: DriverTable; tried: DriverName[] } {
  const tried: DriverName[] = [];
  const entry = (name: DriverName) => (): Promise<PacketSource> => {
    tried.push(name);
    const answer = answers[name];
    return answer === undefined ? Promise.resolve({ driver: name } as PacketSource) : Promise.reject(answer);
  };
  return { table: { libpcap: entry('libpcap'), tcpdump: entry('tcpdump'), cap: entry('cap') }, tried };
}
const unavailable = (text: string) => new DriverUnavailable(text);
async function failure(opening: Promise<unknown>): Promise<NetmonError> {
  const thrown = await opening.then(
    () => null,
    (error: unknown) => error,
  );
  if (!(thrown instanceof NetmonError)) throw new Error(`expected a NetmonError, got ${String(thrown)}`);
  return thrown;
}

describe('openCapture, auto', () => {
  const auto = (answers: Partial<Record<DriverName, unknown>>, edges: Edges, request = REQUEST) => {
    const { table, tried } = drivers(answers);
    return { opening: openCapture('auto', request, edges, systemClock, table), tried };
  };

  it('takes the first that works', async () => {
    const { opening, tried } = auto({}, LINUX);
    expect([(await opening).source.driver, (await opening).fallbacks, tried]).toEqual(['libpcap', [], ['libpcap']]);
  });

  it('keeps why better ones were passed over', async () => {
    const opened = await auto({ libpcap: unavailable('libpcap could not be loaded: \u001bx') }, LINUX).opening;
    expect(opened.source.driver).toBe('cap');
    expect(opened.fallbacks).toEqual([
      { driver: 'libpcap', reason: 'libpcap could not be loaded: x' },
      { driver: 'tcpdump', reason: 'only on macOS' },
    ]);
    const onMac = await auto({ libpcap: new NetmonError('no-device', "can't capture on pktap,en") }, mac(0)).opening;
    expect([onMac.source.driver, onMac.fallbacks.length]).toEqual(['tcpdump', 1]);
  });

  it.each([
    ['permission', 501],
    ['bad-filter', 501],
    ['bad-filter', 0],
  ] as const)('lets a working driver have the last word on %s, as %d', async (code, euid) => {
    const { opening, tried } = auto({ libpcap: new NetmonError(code, 'the best words') }, mac(euid));
    expect([(await failure(opening)).message, tried]).toEqual(['the best words', ['libpcap']]);
    const second = auto({ libpcap: unavailable('x'), tcpdump: new NetmonError(code, 'second best') }, mac(euid));
    expect([(await failure(second.opening)).code, second.tried]).toEqual([code, ['libpcap', 'tcpdump']]);
  });

  it("asks Apple's tcpdump where macOS refuses root in this process", async () => {
    const refused = new NetmonError('permission', 'no permission to capture on pktap,en: Operation not permitted');
    const { source, fallbacks } = await auto({ libpcap: refused }, mac(0)).opening;
    expect([source.driver, fallbacks]).toEqual(['tcpdump', [{ driver: 'libpcap', reason: refused.message }]]);
    const all = auto({ libpcap: refused, tcpdump: unavailable('x') }, mac(0));
    expect([await failure(all.opening), all.tried]).toEqual([refused, ['libpcap', 'tcpdump']]);
    const linux = auto({ libpcap: refused }, LINUX);
    expect([await failure(linux.opening), linux.tried]).toEqual([refused, ['libpcap']]);
  });

  it('survives a driver with a bug, and reports the bug when nothing else works', async () => {
    const opened = await auto({ libpcap: new TypeError('x is not a function') }, LINUX).opening;
    expect(opened.fallbacks[0]).toEqual({ driver: 'libpcap', reason: 'x is not a function' });
    await expect(auto({ libpcap: new TypeError('bug'), cap: unavailable('y') }, LINUX).opening).rejects.toThrow(TypeError);
  });

  it('says what the first that ran said, when all failed', async () => {
    const down = new NetmonError('no-device', 'interface eth0 is down');
    expect(await failure(auto({ libpcap: down, cap: unavailable('y') }, LINUX).opening)).toBe(down);
    expect(await failure(auto({ libpcap: unavailable('z'), cap: down }, LINUX).opening)).toBe(down);
  });

  it('lists every reason when none could run', async () => {
    const error = await failure(auto({ libpcap: unavailable('not there'), cap: unavailable('not built') }, LINUX).opening);
    expect([error.code, error.exitStatus]).toEqual(['no-device', 4]);
    expect(error.message).toBe('no capture driver works here (libpcap: not there; tcpdump: only on macOS; cap: not built)');
    expect(error.hint).toMatch(/libpcap/);
  });

  it('speaks of rights to a user of a Mac', async () => {
    const all = { libpcap: unavailable('a'), tcpdump: unavailable('b') };
    const error = await failure(auto(all, mac(501)).opening);
    expect([error.code, error.exitStatus]).toEqual(['permission', 3]);
    expect(error.hint).toMatch(/sudo/);
    expect((await failure(auto(all, mac(0)).opening)).code).toBe('no-device');
  });

  it('tells an unknown interface before any driver is tried', async () => {
    const { opening, tried } = auto({}, LINUX, { ...REQUEST, interfaces: ['eth7'] });
    expect([(await failure(opening)).message, tried]).toEqual([
      expect.stringMatching(/^no such interface: eth7 \(there are: (lo, eth0|eth0, lo)\)$/),
      [],
    ]);
    expect((await failure(auto({}, mac(0), { ...REQUEST, interfaces: ['en9'] }).opening)).message).toContain(
      'lo0, gif0, stf0, en0',
    );
    expect((await auto({}, LINUX, { ...REQUEST, interfaces: ['any'] }).opening).source.driver).toBe('libpcap');
    expect((await auto({}, fakeEdges({ platform: 'darwin' }), { ...REQUEST, interfaces: ['en9'] }).opening).source.driver).toBe(
      'libpcap',
    );
  });
});

describe('openCapture, a driver named', () => {
  it('tries no other', async () => {
    const { table, tried } = drivers({ cap: unavailable('not built') });
    const error = await failure(openCapture('cap', REQUEST, LINUX, systemClock, table));
    expect([error.code, error.message, error.hint, tried]).toEqual([
      'no-device',
      'the driver cap does not work here: not built',
      'leave --driver away',
      ['cap'],
    ]);
    const opened = await new Opener('tcpdump', mac(0), systemClock, table).open(REQUEST);
    expect([opened.source.driver, opened.fallbacks]).toEqual(['tcpdump', []]);
  });

  it.each([
    ['cap', mac(0), 'only on Linux'],
    ['tcpdump', LINUX, 'only on macOS'],
  ] as const)('does not try %s where it does not belong', async (driver, edges, reason) => {
    const { table, tried } = drivers({});
    const error = await failure(openCapture(driver, REQUEST, edges, systemClock, table));
    expect([error.code, error.message, tried]).toEqual(['no-device', `the driver ${driver} does not work here: ${reason}`, []]);
  });

  it('passes on what it says', async () => {
    const said = new NetmonError('permission', 'no');
    expect(await failure(openCapture('libpcap', REQUEST, LINUX, systemClock, drivers({ libpcap: said }).table))).toBe(said);
  });
});

describe('DRIVER_TABLE', () => {
  it('has every driver', () => {
    expect(Object.keys(DRIVER_TABLE)).toEqual([...DRIVERS]);
  });
});

describe('libpcapHint', () => {
  const hint = (platform: Edges['platform'], euid: number, ...there: string[]) =>
    libpcapHint({ platform, euid: () => euid }, (path) => there.includes(path));

  it('names one command, with the rights it takes', () => {
    expect(hint('linux', 0, '/usr/bin/apt-get')).toBe('type: apt-get install -y libpcap0.8');
    expect(hint('linux', 1000, '/usr/bin/dnf', '/usr/bin/yum', '/usr/bin/sudo')).toBe('type: sudo dnf install -y libpcap');
    expect(hint('linux', 1000, '/sbin/apk')).toBe('as root, type: apk add libpcap');
    expect(hint('linux', 0, '/usr/bin/pacman')).toBe('type: pacman -S --needed libpcap');
    expect(hint('linux', 0)).toBe("install your system's libpcap package");
    expect(hint('darwin', 501, '/opt/homebrew/bin/brew')).toBe('type: netmon-tui doctor');
  });
});
