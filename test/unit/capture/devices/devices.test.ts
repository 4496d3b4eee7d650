import { describe, expect, it, vi } from 'vitest';
import {
  defaultInterface,
  deviceKinds,
  hardwareAddress,
  listDevices,
  localAddresses,
} from '../../../../src/capture/devices/devices.ts';
import { linuxLower, linuxState } from '../../../../src/capture/devices/linux.ts';
import { parseNetstat } from '../../../../src/capture/devices/macos.ts';
import { formatAddress } from '../../../../src/net/address.ts';
import { systemEdges } from '../../../../src/system/programs.ts';
import { systemPathExists } from '../../../../src/system/small-file.ts';
import { fakeEdges, interfaceInfo, sysfs } from '../../../support/fake-edges.ts';
import { NETSTAT, ROUTE, ROUTE_OFFLINE, ROUTE_VPN } from '../macos-texts.ts';

vi.mock('../../../../src/system/small-file.ts', { spy: true });

const HEADER = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n';
const route4 = (...rows: string[]) => HEADER + rows.map((row) => `${row.replaceAll(' ', '\t')}\t0\t0\t0\n`).join('');
const ZERO6 = '0'.repeat(32);
const LINUX = {
  ...sysfs('lo', { ifindex: 1, flags: '0x9', operstate: 'unknown', type: 772, iflink: 1 }),
  ...sysfs('eth0', { ifindex: 2, flags: '0x1003', operstate: 'up', type: 1, 'device/vendor': '0x1af4' }),
  ...sysfs('wlan0', { ifindex: 3, flags: '0x1003', operstate: 'dormant', type: 1, 'device/vendor': '0x8086', 'wireless/x': '' }),
  ...sysfs('eth9', { ifindex: 4, flags: '0x1002', operstate: 'down', type: 1, 'device/vendor': '0x1af4' }),
  ...sysfs('vpn', { ifindex: 5, flags: '0x10d1', operstate: 'unknown', type: 65534, tun_flags: '0x1001' }),
  ...sysfs('vm-tap', { ifindex: 6, flags: '0x1003', operstate: 'up', type: 1, tun_flags: '0x1002' }),
  ...sysfs('lan', { ifindex: 7, flags: '0x1003', operstate: 'up', type: 1, 'bridge/bridge_id': '8' }),
  ...sysfs('office', {
    ifindex: 8,
    flags: '0xd1',
    operstate: 'unknown',
    type: 65534,
    uevent: 'DEVTYPE=wireguard\nINTERFACE=office',
  }),
  ...sysfs('eth0.7', { ifindex: 9, flags: '0x1003', operstate: 'up', type: 1, iflink: 2, uevent: 'DEVTYPE=vlan\n' }),
  ...sysfs('h1', { ifindex: 10, flags: '0x1003', operstate: 'up', type: 1, iflink: 44 }),
  ...sysfs('dummy0', { ifindex: 11, flags: '0x83', operstate: 'unknown', type: 1, iflink: 11 }),
  ...sysfs('wwan0', { ifindex: 12, flags: '0x91', operstate: 'unknown', type: 519, 'device/vendor': '1' }),
  'sys/class/net/bonding_masters': '\n',
};

describe('listDevices on Linux', () => {
  it('lists every interface with its state and kind', async () => {
    const files = { ...LINUX, 'proc/net/route': route4('eth0 00000000 010200C0 0003 0 0 100 00000000') };
    const interfaces = { eth0: [interfaceInfo('fe80::1%eth0'), interfaceInfo('192.0.2.2')], lo: [interfaceInfo('127.0.0.1')] };
    const devices = await listDevices(fakeEdges({ files, interfaces }));
    expect(devices.map((d) => [d.name, d.up, d.running, d.kind, d.linkType])).toEqual([
      ['lo', true, true, 'loopback', 'EN10MB'],
      ['eth0', true, true, 'physical', 'EN10MB'],
      ['wlan0', true, false, 'physical', 'EN10MB'],
      ['eth9', false, false, 'physical', 'EN10MB'],
      ['vpn', true, true, 'tunnel', 'RAW'],
      ['vm-tap', true, true, 'virtual', 'EN10MB'],
      ['lan', true, true, 'bridge', 'EN10MB'],
      ['office', true, true, 'tunnel', 'RAW'],
      ['eth0.7', true, true, 'virtual', 'EN10MB'],
      ['h1', true, true, 'virtual', 'EN10MB'],
      ['dummy0', true, true, 'virtual', 'EN10MB'],
      ['wwan0', true, true, 'physical', 'RAW'],
    ]);
    expect(devices.filter((d) => d.isDefault).map((d) => d.name)).toEqual(['eth0']);
    expect(devices[1]?.addresses).toEqual(['192.0.2.2', 'fe80::1']);
  });

  it('takes the veth of a container for its uplink', () => {
    const files = {
      ...sysfs('lo', { ifindex: 1, flags: '0x9', type: 772, iflink: 1 }),
      ...sysfs('eth0', { ifindex: 2, flags: '0x1003', type: 1, iflink: 7 }),
      ...sysfs('veth1', { ifindex: 3, flags: '0x1003', type: 1, iflink: 8, master: 'br0' }),
    };
    const above = { ...files, ...sysfs('top', { ifindex: 4, flags: '0x1003', type: 1, iflink: 2, 'lower_eth0/x': '' }) };
    const edges = fakeEdges({ files: above });
    expect(deviceKinds(edges, ['eth0', 'veth1', 'lo', 'top'])).toEqual(['physical', 'virtual', 'loopback', 'virtual']);
  });

  it('finds what is below an interface, at any depth, without going in circles', () => {
    const files = {
      ...sysfs('br0', { ifindex: 1, 'lower_bond0/x': '', 'lower_veth1/x': '', 'lower_a b/x': '' }),
      ...sysfs('bond0', { ifindex: 2, 'lower_eth0/x': '', 'upper_br0/x': '', 'lower_br0/x': '' }),
      ...sysfs('eth0', { ifindex: 3 }),
    };
    const edges = fakeEdges({ files });
    expect(linuxLower(edges, 'br0').sort()).toEqual(['bond0', 'br0', 'eth0', 'veth1']);
    expect([linuxLower(edges, 'eth0'), linuxLower(edges, 'gone'), linuxLower(edges, '../x')]).toEqual([[], [], []]);
  });

  it('reads the hardware address of an interface that has one', () => {
    const files = {
      ...sysfs('eth0', { ifindex: 1, address: '02:00:0a:FF:00:01' }),
      ...sysfs('lo', { ifindex: 2, address: '00:00:00:00:00:00' }),
      ...sysfs('tun0', { ifindex: 3, address: '' }),
    };
    const edges = fakeEdges({ files });
    expect([...(hardwareAddress(edges, 'eth0') ?? [])]).toEqual([2, 0, 10, 255, 0, 1]);
    expect(['lo', 'tun0', 'gone', '../eth0'].map((name) => hardwareAddress(edges, name))).toEqual([null, null, null, null]);
    const interfaces = { en0: [{ ...interfaceInfo('192.0.2.2'), mac: '02:00:00:00:00:07' }] };
    expect([...(hardwareAddress(fakeEdges({ platform: 'darwin', interfaces }), 'en0') ?? [])]).toEqual([2, 0, 0, 0, 0, 7]);
  });

  it('learns the kinds of hundreds of interfaces in linear time', () => {
    const pairs = Array.from({ length: 60 }, (_, i) => `v${i}`);
    const facts = (i: number) => ({ ifindex: 2 + i, flags: '0x1003', type: 1, iflink: 9000 + i });
    const edges = fakeEdges({ files: Object.assign({}, ...pairs.map((name, i) => sysfs(name, facts(i)))) });
    const looks = (names: readonly string[]) => {
      vi.mocked(systemPathExists).mockClear();
      deviceKinds(edges, names);
      return vi.mocked(systemPathExists).mock.calls.length;
    };
    // none of them is hardware, so it reads all 60, once
    expect(looks(pairs) - looks(pairs.slice(0, 30))).toBe(looks(pairs.slice(0, 30)) - 60);
    expect(deviceKinds(edges, pairs)).toEqual(pairs.map(() => 'physical'));
  });

  it('never builds a path from a hostile name', () => {
    const edges = fakeEdges({ files: { ...LINUX } });
    expect(linuxState(edges, '../net/eth0')).toBe('absent');
    expect(linuxState(edges, '..')).toBe('absent');
    expect([linuxState(edges, 'eth0'), linuxState(edges, 'eth9'), linuxState(edges, 'eth7')]).toEqual(['up', 'down', 'absent']);
  });
});

describe('defaultInterface on Linux', () => {
  const ask = (route: string, route6 = '') =>
    defaultInterface(fakeEdges({ files: { 'proc/net/route': route, 'proc/net/ipv6_route': route6 } }));
  const six = (name: string, metric: string, flags = '00000003') =>
    `${ZERO6} 00 ${ZERO6} 00 ${ZERO6} ${metric} 00000002 00000000 ${flags}     ${name}\n`;

  it('takes the lowest metric', async () => {
    expect(
      await ask(route4('wlan0 00000000 010200C0 0003 0 0 600 00000000', 'eth0 00000000 010200C0 0003 0 0 100 00000000')),
    ).toBe('eth0');
  });
  it('skips routes that are down or reject', async () => {
    expect(
      await ask(route4('eth0 00000000 010200C0 0002 0 0 1 00000000', 'eth1 00000000 00000000 0201 0 0 2 00000000')),
    ).toBeNull();
  });
  it('takes IPv6 when IPv4 has none', async () => {
    expect(await ask(route4(), six('eth1', '00000400') + six('eth2', '00000100') + six('lo', 'ffffffff', '00200200'))).toBe(
      'eth2',
    );
  });
  it('finds the tunnel that halves the address space', async () => {
    const rows = [
      'tun0 00000000 0 0001 0 0 0 00000080',
      'tun0 00000080 0 0001 0 0 0 00000080',
      'eth0 0002000A 0 0001 0 0 0 00FFFFFF',
    ];
    expect(await ask(route4(...rows))).toBe('tun0');
  });
  it('is null offline and on nonsense', async () => {
    expect(await ask(route4('eth0 0002000A 0 0001 0 0 0 00FFFFFF'))).toBeNull();
    expect(await ask('\u0000\u0001 garbage\n1 2 3\n', 'x'.repeat(500))).toBeNull();
    expect(await defaultInterface(fakeEdges())).toBeNull();
  });
});

describe('defaultInterface on macOS', () => {
  const ask = async (programs: Record<string, { stdout?: string; stderr?: string; status?: number }>) => {
    const edges = fakeEdges({ platform: 'darwin', programs });
    return [await defaultInterface(edges), edges.ran.length];
  };
  const offline = { stderr: ROUTE_OFFLINE, status: 0 };

  it('reads the interface, with a gateway and without', async () => {
    expect(await ask({ 'route -n get default': { stdout: ROUTE } })).toEqual(['en1', 1]);
    expect(await ask({ 'route -n get default': { stdout: ROUTE_VPN } })).toEqual(['utun4', 1]);
  });
  it('asks for IPv6, then for an address', async () => {
    expect(await ask({ 'route -n get default': offline, 'route -n get -inet6 default': { stdout: ROUTE } })).toEqual(['en1', 2]);
    const split = {
      'route -n get default': offline,
      'route -n get -inet6 default': offline,
      'route -n get 1.1.1.1': { stdout: ROUTE_VPN },
    };
    expect(await ask(split)).toEqual(['utun4', 3]);
  });
  it('is null offline, with any exit status', async () => {
    const all = { 'route -n get default': offline, 'route -n get -inet6 default': offline, 'route -n get 1.1.1.1': offline };
    expect(await ask(all)).toEqual([null, 3]);
    expect(await ask({})).toEqual([null, 3]);
  });
});

describe('listDevices on macOS', () => {
  it('lists what is down too, from the link rows', async () => {
    const edges = fakeEdges({
      platform: 'darwin',
      programs: { 'netstat -ibn': { stdout: NETSTAT }, 'route -n get default': { stdout: ROUTE.replace('en1', 'en0') } },
      interfaces: { en0: [interfaceInfo('192.0.2.17')], lo0: [interfaceInfo('127.0.0.1')] },
    });
    const devices = await listDevices(edges);
    expect(devices.map((d) => [d.name, d.index, d.up, d.running, d.kind, d.linkType])).toEqual([
      ['lo0', 1, true, true, 'loopback', 'NULL'],
      ['gif0', 2, false, false, 'tunnel', 'NULL'],
      ['stf0', 3, false, false, 'tunnel', 'NULL'],
      ['en0', 4, true, true, 'physical', 'EN10MB'],
      ['awdl0', 9, true, null, 'virtual', 'EN10MB'],
      ['bridge0', 10, false, false, 'bridge', 'EN10MB'],
      ['utun3', 14, true, null, 'tunnel', 'NULL'],
    ]);
    expect(devices.filter((d) => d.isDefault).map((d) => d.name)).toEqual(['en0']);
  });

  it('falls back to what Node knows', async () => {
    const devices = await listDevices(fakeEdges({ platform: 'darwin', interfaces: { en0: [interfaceInfo('192.0.2.17')] } }));
    expect(devices.map((d) => [d.name, d.addresses])).toEqual([['en0', ['192.0.2.17']]]);
  });

  it('survives added columns', () => {
    const wider = NETSTAT.split('\n').map((line, i) => (line === '' ? line : `${line}  ${i === 0 ? 'Drop' : '7'}`));
    expect(parseNetstat(wider.join('\n')).find((row) => row.name === 'en0')?.rxBytes).toBe(3221225472);
  });
});

describe('localAddresses', () => {
  const texts = (words: Int32Array) => Array.from({ length: words.length / 4 }, (_, i) => formatAddress(words, 4 * i));
  const TRIE = `Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 127.0.0.0/31 1 0 0
        |-- 127.0.0.0
           /8 host LOCAL
        |-- 127.0.0.1
           /32 host LOCAL
     +-- 192.0.2.0/24 2 0 2
        |-- 192.0.2.0
           /24 link UNICAST
        |-- 192.0.2.2
           /32 host LOCAL
        |-- 192.0.2.255
           /32 link BROADCAST
Local:
        |-- 192.0.2.2
           /32 host LOCAL
        |-- 198.51.100.9
           /32 host LOCAL
`;
  it('adds the kernel table on Linux, each address once', () => {
    const edges = fakeEdges({
      files: {
        'proc/net/fib_trie': TRIE,
        'proc/net/if_inet6':
          'fd000000000000000000000000000002 04 40 00 82     eth0\n00000000000000000000000000000001 01 80 10 80       lo\nbroken\n',
      },
      interfaces: { eth0: [interfaceInfo('192.0.2.2'), interfaceInfo('fe80::fc:ff:fe00:1')] },
    });
    expect(texts(localAddresses(edges))).toEqual([
      '192.0.2.2',
      'fe80::fc:ff:fe00:1',
      '127.0.0.1',
      '198.51.100.9',
      'fd00::2',
      '::1',
    ]);
  });

  it('takes Node’s addresses on macOS, without those that aren’t a host’s', () => {
    const list = ['192.0.2.17', 'fe80::1%en0', '0.0.0.0', 'ff02::1', '255.255.255.255', 'nonsense'].map(interfaceInfo);
    expect(texts(localAddresses(fakeEdges({ platform: 'darwin', interfaces: { en0: list } })))).toEqual([
      '192.0.2.17',
      'fe80::1',
    ]);
  });

  it('has the loopback address of this machine', () => {
    expect(texts(localAddresses(systemEdges()))).toContain('127.0.0.1');
  });
});
