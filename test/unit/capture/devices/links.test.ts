import { rmSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { LinkWatch, parseIfconfig, parseWireless } from '../../../../src/capture/devices/links.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { fakeEdges, removeFakeRoots } from '../../../support/fake-edges.ts';

afterAll(removeFakeRoots);

const WIRELESS = `Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE
 face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | 22
 wlan0: 0000   54.  -56.  -256        0      0      0      0     23        0
wlp3s0: 0000   21.  -89.  -256        0      0      0      0      0        0
 old0: 0000   70   180   161        0      0      0      0      0        0
`;

const IFCONFIG = `lo0: flags=8049<UP,LOOPBACK,RUNNING,MULTICAST> mtu 16384 index 1
	link quality: 100 (good)
en0: flags=8863<UP,BROADCAST,SMART,RUNNING,SIMPLEX,MULTICAST> mtu 1500 index 11
	ether 00:11:22:33:44:55
	status: active
	type: Wi-Fi
	link quality: 50 (poor)
	uplink rate: 88.31 Mbps [eff] / 146.08 Mbps
en5: flags=8863<UP,BROADCAST> mtu 1500 index 12
	type: Ethernet
	link quality: 100 (good)
en1: flags=8863<UP,BROADCAST> mtu 1500 index 13
	type: Wi-Fi
	link quality: 100 (good)
	uplink rate: 1.20 Gbps [eff] / 2.40 Gbps
`;

describe('/proc/net/wireless', () => {
  it('tells quality, and the signal where it is in dBm', () => {
    expect([...parseWireless(WIRELESS)]).toEqual([
      ['wlan0', { signal: -56, share: 54 / 70, rate: null, isWeak: false }],
      ['wlp3s0', { signal: -89, share: 0.3, rate: null, isWeak: true }],
      ['old0', { signal: null, share: 1, rate: null, isWeak: false }],
    ]);
  });

  it('tells nothing of what it is not', () => {
    expect(parseWireless('')).toEqual(new Map());
    fc.assert(fc.property(fc.string(), (text) => void parseWireless(`\n\n${text}`)));
    fc.assert(fc.property(fc.string(), (text) => void parseIfconfig(text)));
  });
});

describe('ifconfig -v', () => {
  it('tells the quality of Wi-Fi, and what it can send', () => {
    expect([...parseIfconfig(IFCONFIG)]).toEqual([
      ['en0', { signal: null, share: 0.5, rate: 88.31, isWeak: true }],
      ['en1', { signal: null, share: 1, rate: 1200, isWeak: false }],
    ]);
  });
});

describe('the watch', () => {
  it('reads the file when a link is asked for, at most every two seconds', () => {
    const edges = fakeEdges({ files: { 'proc/net/wireless': WIRELESS } });
    const clock = new FakeClock();
    const links = new LinkWatch(edges, clock);
    expect([links.of('wlan0')?.signal, links.of('eth0')]).toEqual([-56, null]);
    writeFileSync(`${edges.paths.proc}/net/wireless`, WIRELESS.replace('-56.', '-80.'));
    clock.pass(1999);
    expect(links.of('wlan0')?.signal).toBe(-56);
    clock.pass(1);
    expect(links.of('wlan0')).toMatchObject({ signal: -80, isWeak: true });
    rmSync(`${edges.paths.proc}/net/wireless`);
    clock.pass(2000);
    expect(links.of('wlan0')).toBeNull();
  });

  it('runs ifconfig on a Mac, and not again before ten seconds', async () => {
    const edges = fakeEdges({ platform: 'darwin', programs: { 'ifconfig -v -a': { stdout: IFCONFIG } } });
    const clock = new FakeClock();
    const links = new LinkWatch(edges, clock);
    expect(links.of('en0')).toBeNull();
    await Promise.resolve();
    await Promise.resolve();
    expect(links.of('en0')?.share).toBe(0.5);
    clock.pass(9000);
    links.of('en0');
    expect(edges.ran).toHaveLength(1);
    clock.pass(1000);
    links.of('en0');
    expect(edges.ran).toHaveLength(2);
  });

  it('knows nothing while ifconfig fails', async () => {
    const edges = fakeEdges({ platform: 'darwin' });
    const links = new LinkWatch(edges, new FakeClock());
    links.of('en0');
    await Promise.resolve();
    expect(links.of('en0')).toBeNull();
  });
});
