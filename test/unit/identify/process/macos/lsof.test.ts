import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { LSOF_ARGUMENTS, type LsofRecord, parseLsof } from '../../../../../src/identify/process/macos/lsof.ts';
import type { SocketEnd } from '../../../../../src/identify/process/socket-table.ts';
import { formatAddress } from '../../../../../src/net/address.ts';
import { systemEdges } from '../../../../../src/system/programs.ts';

/** The order of Apple's lsof 4.91: p, g, R, c, u, L; per file f, a, l, t, G, d, o, P, n, T. */
const RECORDED = `p455
g455
R1
ccrapportd
u501
f10
tIPv4
PTCP
n*:49159
TST=LISTEN
TQR=0
TQS=0
f11
tIPv6
PTCP
n*:49159
TST=LISTEN
p1190
g644
R644
cGoogle Chrome Helper
u501
Lsiky
f29
au
l 
tIPv4
G0x10007;0x0
d0xcdf758597a6d43c3
o0t0
PTCP
n192.0.2.17:61472->198.51.100.145:443
TST=ESTABLISHED
TQR=0
TQS=0
f30
tIPv4
PTCP
n192.0.2.17:61472->198.51.100.145:443
TST=ESTABLISHED
f31
tIPv4
PUDP
n*:*
f32
tIPv4
PUDP
n*:5353
f33
tIPv6
PUDP
n[fe80:4::aede:48ff:fe00:1122]:1111->[fe80:4::1]:443
f34
tIPv6
PTCP
n192.0.2.17:8080->203.0.113.9:55000
TST=CLOSE_WAIT
f35
tIPv6
PTCP
n[::1]:631
TST=LISTEN
`;

const end = (found: SocketEnd | null): string | null =>
  found === null ? null : `${found.words === null ? '*' : formatAddress(found.words)} ${found.port}`;
const line = (r: LsofRecord) => [r.pid, r.name, r.uid, r.protocol, r.family, end(r.local), end(r.remote), r.state];

describe('parseLsof', () => {
  it('reads every form of a name, each socket of a process once', () => {
    expect(parseLsof(RECORDED).map(line)).toEqual([
      [455, 'crapportd', 501, 6, 4, '* 49159', null, 'LISTEN'],
      [455, 'crapportd', 501, 6, 6, '* 49159', null, 'LISTEN'],
      [1190, 'Google Chrome Helper', 501, 6, 4, '192.0.2.17 61472', '198.51.100.145 443', 'ESTABLISHED'],
      [1190, 'Google Chrome Helper', 501, 17, 4, '* 0', null, null],
      [1190, 'Google Chrome Helper', 501, 17, 4, '* 5353', null, null],
      [1190, 'Google Chrome Helper', 501, 17, 6, 'fe80::aede:48ff:fe00:1122 1111', 'fe80::1 443', null],
      [1190, 'Google Chrome Helper', 501, 6, 6, '192.0.2.17 8080', '203.0.113.9 55000', 'CLOSE_WAIT'],
      [1190, 'Google Chrome Helper', 501, 6, 6, '::1 631', null, 'LISTEN'],
    ]);
  });

  it('decodes escapes in names and drops control characters', () => {
    const name = (text: string) => parseLsof(`p1\nc${text}\nu0\nf1\ntIPv4\nPTCP\nn*:1\n`)[0]?.name;
    expect(name('caf\\xc3\\xa9')).toBe('café');
    expect(name('a\\x20b')).toBe('a b');
    expect(name('back\\\\x41slash')).toBe('back\\x41slash');
    expect(name('x\\x1b[31m\\ny')).toBe('x[31my');
    expect(name('bad\\xff')).toBe('bad\ufffd');
    expect(name('Ünïcode')).toBe('Ünïcode');
  });

  it('reads v4-mapped and unspecified addresses', () => {
    const of = (n: string) => parseLsof(`p1\ncx\nf1\ntIPv6\nPTCP\nn${n}\n`).map((r) => [end(r.local), end(r.remote)])[0];
    expect(of('[::ffff:192.0.2.1]:80')).toEqual(['192.0.2.1 80', null]);
    expect(of('[::]:80')).toEqual(['* 80', null]);
    expect(of('[fe80::1%en0]:80')).toEqual(['fe80::1 80', null]);
  });

  it.each([
    [''],
    ['n*:1\n'],
    ['p1\ncx\nf1\nPTCP\n'],
    ['p1\ncx\nf1\nn*:1\n'],
    ['px\ncx\nf1\nPTCP\nn*:1\n'],
    ['p1\ncx\nf1\nPTCP\nn*:70000\n'],
    ['p1\ncx\nf1\nPTCP\nnhost:http\n'],
    ['p1\ncx\nf1\nPTCP\nn1.2.3.4:1->nonsense\n'],
    ['p1\ncx\nf1\nPQUIC\nn*:1\n'],
    [`p1\ncx\nf1\nPTCP\nn${'9'.repeat(5000)}\n`],
    ['p1\ncx\nf1\ntIPv4\nPTCP\nn/var/run/x.sock\n'],
  ])('makes no record of %j', (text) => {
    expect(parseLsof(text)).toEqual([]);
  });

  it('doesn’t carry fields from one descriptor to the next', () => {
    const text = 'p1\ncx\nu7\nf1\ntIPv6\nPTCP\nn*:1\nTST=LISTEN\nf2\nPUDP\nn*:2\np2\ncy\nf3\nPUDP\nn*:3\n';
    expect(parseLsof(text).map(line)).toEqual([
      [1, 'x', 7, 6, 6, '* 1', null, 'LISTEN'],
      [1, 'x', 7, 17, 4, '* 2', null, null],
      [2, 'y', null, 17, 4, '* 3', null, null],
    ]);
  });

  it('finds a socket of this process in the text of the real lsof', async ({ skip }) => {
    const edges = systemEdges();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const result = await edges.run(edges.paths.lsof, LSOF_ARGUMENTS, { timeoutMs: 20_000, maxBytes: 8 << 20 });
    server.close();
    if (result.failure !== null) return skip(`lsof could not be run (${result.failure})`);
    const mine = parseLsof(result.stdout).filter((record) => record.pid === process.pid && record.local.port === port);
    expect(mine.map((record) => [end(record.local), record.state, record.uid])).toEqual([
      [`127.0.0.1 ${port}`, 'LISTEN', process.getuid?.()],
    ]);
  });
});
