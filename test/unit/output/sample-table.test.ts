import { describe, expect, it } from 'vitest';
import type { Device } from '../../../src/capture/devices/devices.ts';
import { interfacesJson, interfacesText } from '../../../src/cli/interfaces.ts';
import { type TableStyle, tableText } from '../../../src/output/sample-table.ts';
import { displayWidth } from '../../../src/view/text/cells.ts';
import { formatDateTime } from '../../../src/view/text/format.ts';
import { alert } from '../../support/history.ts';
import { lineFaults } from '../../support/schemas.ts';
import { appRow, flowRow, hostRow, snapshot, TIME } from './rows.ts';

const STYLE: TableStyle = { columns: 100, color: false, ascii: false, names: true, units: 'bytes' };
const OWN = { address: '2001:db8::1', port: 50_000 };

const BUSY = snapshot({
  apps: [
    appRow(),
    appRow({ app: null, reason: 'forwarded', pids: [], user: null, rxBytes: 9e6 }),
    appRow({ app: 'chat', pids: [1, 2, 3] }),
  ],
  hosts: [hostRow(), hostRow({ host: null, reason: null, addresses: [], nameSource: 'none' })],
  flows: [
    flowRow(),
    flowRow({
      local: OWN,
      remote: { address: '2001:db8::9', port: 53 },
      host: null,
      app: null,
      reason: 'older than the start',
      protocol: 'udp',
      state: '',
    }),
    flowRow({
      protocol: 'icmp',
      remote: { address: '203.0.113.9', port: 0 },
      local: { address: '192.0.2.1', port: 0 },
      host: null,
      app: null,
    }),
  ],
  flowCount: 5,
});

it('alerts stand above the rest with their whole sentence, the newest of too many', () => {
  const raised = Array.from({ length: 52 }, (_, i) => alert({ id: `${i}`, text: `sentence ${i} ${'x'.repeat(120)}\u001b[2J` }));
  const lines = tableText(snapshot({ alerts: raised }), STYLE).split('\n');
  const at = lines.indexOf('Alerts (52)');
  expect(lines[at + 1]).toBe(`info      new-domain       sentence 2 ${'x'.repeat(120)}[2J`);
  expect(lines.slice(at + 50, at + 54)).toEqual([
    `info      new-domain       sentence 51 ${'x'.repeat(120)}[2J`,
    'and 2 more before',
    '',
    'Apps (1)',
  ]);
  expect(tableText(snapshot(), STYLE)).not.toContain('Alerts');
});

describe('tableText', () => {
  it('shows the same of rows that are handed over one by one, of equals the first', () => {
    const rx = [5, 9, 5, 1, 9, 7, 5, 3].flatMap((bytes) => [bytes, bytes + 10, bytes + 20, bytes + 30, bytes]);
    const flows = rx.map((rxBytes, i) => flowRow({ rxBytes, txBytes: 0, local: { address: '192.0.2.1', port: 1000 + i } }));
    const hosts = rx.map((rxBytes, i) => hostRow({ rxBytes, txBytes: 0, host: `host-${i}` }));
    const whole = snapshot({ hosts, flows, flowCount: flows.length });
    const text = tableText({ ...whole, hosts: [], flows: [] }, STYLE, { hosts: hosts.values(), flows: flows.values() });
    expect(text).toBe(tableText(whole, STYLE));
    const sorted = [...hosts].sort((a, b) => b.rxBytes - a.rxBytes).map(({ host }) => host);
    expect(text.match(/^host-\d+/gm)).toEqual(sorted.slice(0, 20));
    expect(text.match(/and \d+ more/g)).toEqual(['and 20 more', 'and 10 more']);
  });

  it('shows the capture, apps, hosts and connections', () => {
    expect(tableText(BUSY, STYLE).split('\n')).toEqual([
      'en0  driver libpcap, attribution pktap',
      `since ${formatDateTime(TIME - 1500)}, 1.5s`,
      'received 2.93 KiB in 4 packets, sent 200 B in 3 packets',
      'dropped by the kernel -, dropped by netmon-tui 0',
      'not captured -, unowned 0 B, undecoded 0',
      'not libpcap: not here',
      '',
      'Apps (3)',
      'app                                pid  user       flows        RX        TX     RX rate     TX rate',
      '- forwarded                          -  -              1  8.58 MiB   200 B    1.46 KiB/s    <1 B/s',
      'curl                                42  ann            1  2.93 KiB   200 B    1.46 KiB/s    <1 B/s',
      'chat                              3 +2  ann            1  2.93 KiB   200 B    1.46 KiB/s    <1 B/s',
      '',
      'Hosts (2)',
      'host                                        from   flows        RX        TX     RX rate     TX rate',
      'example.com                                 tls        1  2.93 KiB   200 B    1.46 KiB/s    <1 B/s',
      '-                                           -          1  2.93 KiB   200 B    1.46 KiB/s    <1 B/s',
      '',
      'Connections (5)',
      'proto   local                  remote                state         app                  RX        TX',
      'tcp     192.0.2.1:50000        example.com:443       established   curl           2.93 KiB   200 B',
      'udp     [2001:db8::1]:50000    [2001:db8::9]:53      -             - older than…  2.93 KiB   200 B',
      'icmp    192.0.2.1              203.0.113.9           -             -              2.93 KiB   200 B',
      'and 2 more',
      '',
    ]);
  });

  it.each([40, 60, 80, 100, 132, 200, 1000])('fits %i columns', (columns) => {
    const long = snapshot({
      apps: [appRow({ app: '日本語'.repeat(40), user: 'x'.repeat(50) })],
      hosts: [hostRow({ host: `${'a'.repeat(300)}.example.com` })],
      flows: [flowRow({ host: `${'b'.repeat(300)}.example.com`, app: 'c'.repeat(300), state: 'd'.repeat(40) })],
    });
    const lines = tableText(long, { ...STYLE, columns }).split('\n');
    expect(Math.max(...lines.map(displayWidth))).toBeLessThanOrEqual(Math.min(240, Math.max(60, columns)));
    if (columns >= 60) expect(lines.join('\n')).toContain('example.com');
  });

  it('shows no names, other units and plain characters where asked', () => {
    const text = tableText(snapshot({ apps: [appRow({ app: `é${'x'.repeat(90)}` })] }), {
      ...STYLE,
      names: false,
      units: 'bits',
      ascii: true,
    });
    expect(text).not.toContain('example.com');
    expect(text).toContain('203.0.113.9:443');
    expect(text).toContain('24.0 kb');
    expect(text).not.toMatch(/[^\n\x20-\x7e]/);
  });

  it('says none where there is nothing, and the file and no rates in a replay', () => {
    const empty = snapshot({ apps: [], hosts: [], flows: [], flowCount: 0 });
    const text = tableText(
      {
        ...empty,
        capture: { ...empty.capture, file: 'trace.pcap', fallbacks: [], note: 'cut short', reverseDns: true, dropped: 1234 },
      },
      STYLE,
    );
    expect(text).toMatch(/^trace\.pcap {2}driver libpcap/);
    expect(text).toContain('note: cut short\n');
    expect(text).toContain('reverse DNS: addresses without a name are asked for theirs\n');
    expect(text).toContain('dropped by the kernel 1 234');
    expect(text.match(/\nnone\n/g)).toHaveLength(3);
    const replay = tableText({ ...BUSY, capture: { ...BUSY.capture, file: 'trace.pcap' } }, STYLE);
    expect(replay).not.toContain('rate');
  });

  it('colours only where colour is allowed, and lets no escape of others through', () => {
    const evil = snapshot({
      apps: [appRow({ app: '\u001b[31mred\u009b1m', user: 'a\nb' })],
      capture: { ...BUSY.capture, note: '\u001b]0;x\u0007' },
    });
    expect(tableText(evil, STYLE)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    const colored = tableText(evil, { ...STYLE, color: true });
    expect(colored).toContain('\u001b[1mApps (1)\u001b[22m');
    expect(colored).not.toContain('\u001b[31m');
  });
});

const DEVICES: Device[] = [
  {
    name: 'lo',
    index: 1,
    up: true,
    running: true,
    kind: 'loopback',
    addresses: ['127.0.0.1', '::1'],
    linkType: 'EN10MB',
    isDefault: false,
  },
  {
    name: 'en0',
    index: 2,
    up: true,
    running: null,
    kind: 'physical',
    addresses: ['192.0.2.1'],
    linkType: 'EN10MB',
    isDefault: true,
  },
  { name: 'en1', index: 3, up: true, running: false, kind: 'physical', addresses: [], linkType: null, isDefault: false },
  { name: 'tun\u001b0', index: 4, up: false, running: false, kind: 'tunnel', addresses: [], linkType: 'RAW', isDefault: false },
];

describe('interfaces', () => {
  const style = { columns: undefined, ascii: true, color: false };

  it('lists them as a table', () => {
    expect(interfacesText(DEVICES, style).split('\n')).toEqual([
      '   name   state    kind      link         addresses',
      '   lo     up       loopback  EN10MB       127.0.0.1 ::1',
      '*  en0    up       physical  EN10MB       192.0.2.1',
      '   en1    no link  physical  -            -',
      '   tun0   down     tunnel    RAW          -',
      '',
      '* carries the default route',
      '',
    ]);
    expect(interfacesText([DEVICES[0] as Device], style)).toContain('no default route');
    expect(interfacesText([], style)).toBe('no interfaces found\n');
    const narrow = interfacesText(DEVICES, { ...style, columns: 60 }).split('\n');
    expect(Math.max(...narrow.map((line) => line.length))).toBeLessThanOrEqual(60);
  });

  it('lists them as JSON lines', () => {
    const lines = interfacesJson(DEVICES).trimEnd().split('\n');
    expect(lines).toHaveLength(4);
    expect(JSON.parse(lines[2] as string)).toEqual({
      type: 'interface',
      schema: 1,
      name: 'en1',
      index: 3,
      up: true,
      running: false,
      kind: 'physical',
      addresses: [],
      link_type: null,
      default: false,
    });
    expect(lines.flatMap((text) => lineFaults(JSON.parse(text)))).toEqual([]);
    expect(interfacesJson([])).toBe('');
  });
});
