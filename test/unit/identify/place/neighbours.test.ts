import { describe, expect, test } from 'vitest';
import { formatMac } from '../../../../src/identify/place/mac.ts';
import { Neighbours, parseArp, parseNdp, parseProcArp } from '../../../../src/identify/place/neighbours.ts';
import { Vendors } from '../../../../src/identify/place/vendors.ts';
import { formatAddress, parseAddress } from '../../../../src/net/address.ts';
import type { Edges } from '../../../../src/system/edges.ts';
import { fakeEdges, interfaceInfo } from '../../../support/fake-edges.ts';
import { programs, turns } from '../process/polled.ts';

const PROC_ARP = `IP address       HW type     Flags       HW address            Mask     Device
192.168.1.1      0x1         0x2         90:09:d0:00:00:01     *        eth0
192.168.1.9      0x1         0x0         00:00:00:00:00:00     *        eth0
192.168.1.10     0x1         0x0         b8:27:eb:00:00:0a     *        eth0
192.168.1.20     0x1         0x6         b8:27:eb:00:00:14     *        wlan0
10.9.9.9         0x20        0x2         80:00:02:08:fe:80     *        ib0
172.17.0.2       0x1         0x2         02:42:ac:11:00:02     *        docker0
10.0.0.7         0x1         0x2         b8:27:eb:00:00:07     *        eth0
10.0.0.7         0x1         0x2         90:09:d0:00:00:07     *        br0
10.0.0.8         0x1         0x2         b8:27:eb:00:00:08     *        eth0
10.0.0.8         0x1         0x2         b8:27:eb:00:00:08     *        br0
`;

const ARP = `? (192.168.1.1) at 90:9:d0:0:0:1 on en0 ifscope [ethernet]
? (192.168.1.5) at a8:66:7f:0:0:5 on en0 ifscope permanent [ethernet]
? (192.168.1.9) at (incomplete) on en0 ifscope [ethernet]
printer.local (192.168.1.20) at b8:27:eb:0:0:14 on en0 ifscope [bridge]
? (192.168.1.255) at ff:ff:ff:ff:ff:ff on en0 ifscope [ethernet]
? (224.0.0.251) at 1:0:5e:0:0:fb on en0 ifscope permanent [ethernet]
? (169.254.3.4) at 2:50:41:0:0:1 on bridge100 [bridge]
`;

const NDP = `Neighbor                                Linklayer Address  Netif Expire    St Flgs Prbs
2001:db8:1:2::20                        b8:27:eb:0:0:14      en0 23h59m58s S
fe80::1%lo0                             (incomplete)         lo0 permanent R
fe80::1%en0                             90:9:d0:0:0:1        en0 11s       R  R
fe80::40b:e0c4:c1a:2b3c%awdl0           (incomplete)       awdl0 permanent R
fd00::a8:1                              a8:66:7f:0:0:5       en0 permanent R
`;

const listed = (entries: ReturnType<typeof parseArp>) =>
  entries.map(({ words, mac }) => `${formatAddress(words)} ${formatMac(mac)}`);

function words(address: string): Int32Array {
  const four = new Int32Array(4);
  expect(parseAddress(address, four)).toBe(true);
  return four;
}

describe('tables of the system', () => {
  test('/proc/net/arp: complete entries of Ethernets', () =>
    expect(listed(parseProcArp(PROC_ARP)).slice(0, 3)).toEqual([
      '192.168.1.1 90:09:d0:00:00:01',
      '192.168.1.20 b8:27:eb:00:00:14',
      '172.17.0.2 02:42:ac:11:00:02',
    ]));

  test('arp -an: devices, without leading zeros, without groups', () =>
    expect(listed(parseArp(ARP))).toEqual([
      '192.168.1.1 90:09:d0:00:00:01',
      '192.168.1.5 a8:66:7f:00:00:05',
      '192.168.1.20 b8:27:eb:00:00:14',
      '169.254.3.4 02:50:41:00:00:01',
    ]));

  test('ndp -an: without zones', () =>
    expect(listed(parseNdp(NDP))).toEqual([
      '2001:db8:1:2::20 b8:27:eb:00:00:14',
      'fe80::1 90:09:d0:00:00:01',
      'fd00::a8:1 a8:66:7f:00:00:05',
    ]));

  test.each([parseProcArp, parseArp, parseNdp])('nonsense gives nothing', (parse) => {
    for (const text of ['', '\0', 'usage: arp [-n]', '? () at  on ', '((((', `${'a '.repeat(50_000)}\n`.repeat(3), ':::: ::::'])
      expect(parse(text)).toEqual([]);
  });
});

/** A machine with these neighbours, and a vendor table that is loaded like the program's own. */
function room(edges: Edges | null) {
  let loads = 0;
  const neighbours = new Neighbours(edges, () => {
    loads++;
    return Vendors.load();
  });
  return {
    neighbours,
    loads: () => loads,
    meet: (...addresses: string[]) => {
      for (const address of addresses) neighbours.meet(words(address), 0);
    },
    mac: (address: string) => neighbours.lookup(words(address), 0).mac,
    vendor: (address: string) => neighbours.lookup(words(address), 0).vendor,
  };
}

describe('on Linux', () => {
  const linux = () =>
    fakeEdges({ files: { 'proc/net/arp': PROC_ARP }, interfaces: { eth0: [interfaceInfo('2001:db8:1:2::5')] } });

  test('neighbours are those of /proc/net/arp, once somebody asked for one', async () => {
    const { neighbours, meet, mac, vendor, loads } = room(linux());
    neighbours.work(0);
    expect(mac('192.168.1.1')).toBeNull();
    meet('192.168.1.20');
    neighbours.work(50);
    expect(['192.168.1.1', '192.168.1.20', '192.168.1.9', '192.168.1.10', '192.168.1.77'].map(mac)).toEqual([
      '90:09:d0:00:00:01',
      'b8:27:eb:00:00:14',
      null,
      null,
      null,
    ]);
    expect(vendor('192.168.1.1')).toBeNull(); // the table is still loading
    await neighbours.ready();
    expect(['192.168.1.1', '172.17.0.2', '192.168.1.9'].map(vendor)).toEqual(['Synology', 'Docker container', null]);
    expect(loads()).toBe(1);
  });

  test('an address of two networks is nobody, unless one device has it in both', () => {
    const { neighbours, meet, mac } = room(linux());
    meet('10.0.0.7');
    neighbours.work(0);
    expect(['10.0.0.7', '10.0.0.8'].map(mac)).toEqual([null, 'b8:27:eb:00:00:08']);
  });

  test('who is not local is never looked for, and needs no table of vendors', async () => {
    const { neighbours, meet, mac, loads } = room(linux());
    neighbours.work(0);
    meet('8.8.8.8', '127.0.0.1', '224.0.0.251', '100.64.1.1', '2001:470::211:22ff:fe33:4455');
    neighbours.work(10_000);
    expect(mac('192.168.1.1')).toBeNull(); // nothing was read
    expect(mac('2001:470::211:22ff:fe33:4455')).toBeNull();
    await neighbours.ready();
    expect(loads()).toBe(0);
  });

  test('IPv6 addresses that were made from a hardware address tell it, on networks of this machine', async () => {
    const { neighbours, meet, mac, vendor } = room(linux());
    neighbours.work(0);
    meet('2001:db8:1:2:9209:d0ff:fe12:3456');
    await neighbours.ready();
    expect(vendor('2001:db8:1:2:9209:d0ff:fe12:3456')).toBe('Synology');
    expect(vendor('fe80::ba27:ebff:fe01:203')).toBe('Raspberry Pi Foundation');
    expect(mac('fd00::9209:d0ff:fe12:3456')).toBe('90:09:d0:12:34:56');
    expect(mac('2001:db8:1:3:9209:d0ff:fe12:3456')).toBeNull();
    expect(mac('fe80::1')).toBeNull();
  });

  test('a table that is not there is an empty one', () => {
    const { neighbours, meet, mac } = room(fakeEdges());
    meet('192.168.1.1');
    neighbours.work(0);
    expect(mac('192.168.1.1')).toBeNull();
  });
});

describe('on macOS', () => {
  test('neighbours are those of arp and ndp, each run only for its own', async () => {
    const edges = programs({ arp: () => ({ stdout: ARP }), ndp: () => ({ stdout: NDP }) });
    const { neighbours, meet, mac, vendor } = room(edges);
    await turns(neighbours, 0, 6000);
    expect(edges.ran).toEqual([]);
    meet('192.168.1.20');
    await turns(neighbours, 7000, 7050);
    expect(edges.ran).toEqual(['arp -an']);
    meet('fe80::1');
    await turns(neighbours, 7100, 7150);
    expect(edges.ran).toEqual(['arp -an', 'ndp -an']);
    expect(['192.168.1.1', '192.168.1.20', 'fe80::1', 'fd00::a8:1', '192.168.1.9'].map(mac)).toEqual([
      '90:09:d0:00:00:01',
      'b8:27:eb:00:00:14',
      '90:09:d0:00:00:01',
      'a8:66:7f:00:00:05',
      null,
    ]);
    await neighbours.ready();
    expect(vendor('fe80::1')).toBe('Synology');
  });

  test('they run every 5 s at the most, and seldom for those who are in no table', async () => {
    const edges = programs({ arp: () => ({ stdout: ARP }) });
    const { neighbours, meet } = room(edges);
    const runs: number[] = [];
    let others = 0;
    for (let now = 0; now <= 120_000; now += 500) {
      meet('10.8.0.3'); // behind a tunnel, and never silent
      if (now < 20_000) meet(`10.8.1.${others++ % 250}`);
      const before = edges.ran.length;
      await turns(neighbours, now);
      if (edges.ran.length > before) runs.push(now);
    }
    expect(runs.every((at, i) => i === 0 || at - (runs[i - 1] as number) >= 5000)).toBe(true);
    expect(runs.filter((at) => at > 40_000).length).toBeLessThan(4);
    expect(runs.some((at) => at > 40_000)).toBe(true);
  });

  test('one that hangs is given up and asked again; what was looked for is still', async () => {
    let answer: { stdout: string } | 'hangs' = 'hangs';
    const edges = programs({ arp: () => answer });
    const { neighbours, meet, mac } = room(edges);
    meet('192.168.1.1');
    await turns(neighbours, 0, 100, 7000);
    expect(edges.ran).toHaveLength(1);
    answer = { stdout: ARP };
    await turns(neighbours, 8000, 8050, 14_000, 14_050);
    expect(edges.ran).toHaveLength(2);
    expect(mac('192.168.1.1')).toBe('90:09:d0:00:00:01');
  });

  test.each([{ failure: 'ENOENT', status: null }, { cut: 'size' as const, status: null }, { status: 1 }])(
    'one that fails (%o) is tried ever more seldom',
    async (answer) => {
      const edges = programs({ arp: () => answer });
      const { neighbours, meet, mac } = room(edges);
      meet('192.168.1.1');
      const times = Array.from({ length: 240 }, (_, i) => i * 500);
      await turns(neighbours, ...times);
      expect(mac('192.168.1.1')).toBeNull();
      expect(edges.ran.length).toBeGreaterThan(2);
      expect(edges.ran.length).toBeLessThan(10);
    },
  );

  test('none runs after the close', async () => {
    const edges = programs({ arp: () => ({ stdout: ARP }) });
    const { neighbours, meet, mac } = room(edges);
    meet('192.168.1.1');
    neighbours.work(0);
    neighbours.close();
    await turns(neighbours, 100, 20_000);
    expect(edges.ran).toHaveLength(1);
    expect(mac('192.168.1.1')).toBeNull();
  });
});

describe('everywhere', () => {
  test('a replay asks no table, but reads addresses', async () => {
    const { neighbours, meet, mac, vendor } = room(null);
    meet('192.168.1.1', 'fe80::9209:d0ff:fe12:3456');
    neighbours.work(0);
    await neighbours.ready();
    expect(mac('192.168.1.1')).toBeNull();
    expect(vendor('fe80::9209:d0ff:fe12:3456')).toBe('Synology');
  });

  test('a table of vendors that cannot be loaded leaves them unknown', async () => {
    const neighbours = new Neighbours(null, () => Promise.reject(new Error('no')));
    neighbours.meet(words('fe80::9209:d0ff:fe12:3456'), 0);
    await neighbours.ready();
    expect(neighbours.lookup(words('fe80::9209:d0ff:fe12:3456'), 0)).toEqual({ mac: '90:09:d0:12:34:56', vendor: null });
  });

  test('no more than 4096 are kept', () => {
    const lines = Array.from(
      { length: 5000 },
      (_, i) => `10.1.${i >> 8}.${i & 255} 0x1 0x2 90:09:d0:00:${(i >> 8).toString(16)}:01 * eth0`,
    );
    const { neighbours, meet, mac } = room(fakeEdges({ files: { 'proc/net/arp': lines.join('\n') } }));
    meet('10.1.19.1');
    neighbours.work(0);
    expect(mac('10.1.0.0')).toBeNull();
    expect(mac('10.1.19.1')).toBe('90:09:d0:00:13:01');
  });
});
