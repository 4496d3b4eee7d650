import { afterAll, expect, it } from 'vitest';
import { Users } from '../../../../../src/identify/process/directory.ts';
import { Listeners } from '../../../../../src/identify/process/listening/listeners.ts';
import { LsofListeningSource } from '../../../../../src/identify/process/listening/lsof-source.ts';
import { LSOF_ARGUMENTS } from '../../../../../src/identify/process/macos/lsof.ts';
import { fakeEdges, removeFakeRoots } from '../../../../support/fake-edges.ts';

afterAll(removeFakeRoots);

/** As Apple's lsof 4.91 prints it: a listener of both families, a connection, and sockets for datagrams with and without a port. */
const PRINTED = `p455
crapportd
u501
f10
tIPv4
PTCP
n*:49159
TST=LISTEN
f11
tIPv6
PTCP
n*:49159
TST=LISTEN
f12
tIPv4
PTCP
n192.0.2.17:61472->198.51.100.145:443
TST=ESTABLISHED
p300
cmDNSResponder
u65
f31
tIPv4
PUDP
n*:*
f32
tIPv4
PUDP
n*:5353
p700
ccupsd
u0
f6
tIPv6
PTCP
n[::1]:631
TST=LISTEN
`;

async function listed(printed: string, euid: number): Promise<Listeners> {
  const programs = { [`lsof ${LSOF_ARGUMENTS.join(' ')}`]: { stdout: printed } };
  const edges = fakeEdges({ platform: 'darwin', programs, euid });
  const path = (pid: number) => (pid === 700 ? '/usr/sbin/cupsd' : null);
  const listeners = new Listeners(new LsofListeningSource(edges, path), new Users('/nonexistent'), null);
  listeners.work(0, 1000);
  await new Promise((resolve) => setImmediate(resolve));
  listeners.work(10, 1010);
  return listeners;
}

it('lsof lists what listens, once, with the path of the process', async () => {
  const listeners = await listed(PRINTED, 0);
  expect(listeners.rows).toMatchObject([
    { protocol: 'tcp', address: '::1', port: 631, reach: 'loopback', app: 'cupsd', exe: '/usr/sbin/cupsd', pid: 700, user: '0' },
    { protocol: 'udp', address: '*', port: 5353, reach: 'everywhere', app: 'mDNSResponder', pid: 300 },
    { protocol: 'tcp', address: '*', port: 49_159, app: 'rapportd', user: '501' },
  ]);
  expect(listeners.note).toBe('');
});

it('without root it says that others are missing', async () => {
  expect((await listed('', 501)).note).toBe('lsof lists only your own processes');
});
