// What counts, with the kernel's own interfaces: each byte once over stacked ones, and on the side on which it went.

import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { type Line, netnsObstacle, Pair, Running } from '../support/netns.ts';

const reason = netnsObstacle();
if (reason !== null) console.warn(`live test of what counts: ${reason}`);

const BYTES = 128;
const COUNT = 50;

/** Commands that put the address of `near` on another interface above its card; the far end is the same but for a VLAN. */
const STACKS = {
  bridge: 'ip link add top type bridge; ip link set va master top',
  macvlan: 'ip link add link va name top type macvlan mode bridge',
  ipvlan: 'ip link add link va name top type ipvlan mode l2',
  vlan: 'ip link add link va name top type vlan id 7',
} as const;

describe.skipIf(reason !== null)('what counts, live', () => {
  const program = inject('program');
  let pair: Pair;

  beforeEach(() => {
    pair = new Pair();
  });
  afterEach(() => pair.remove());

  /** Runs the program on `near` while `work` goes on. @returns its last line, once `settled` holds of a sample */
  async function during(interfaces: string, work: () => void, settled: (line: Line) => boolean): Promise<Line> {
    const words = [program.bin, '--json', '-i', interfaces, '--interval', '200ms', '--config', '/dev/null', '--no-history'];
    const running = new Running(pair.start(pair.near, process.execPath, words));
    await running.until(() => running.samples.length > 0, 'the first sample');
    work();
    await running.until(() => running.samples.slice(-1).some(settled), 'what was sent');
    await running.interrupt();
    return running.last;
  }

  it.for(Object.entries(STACKS))('own traffic over a %s once', async ([kind, make], { skip }) => {
    const side = (namespace: string, device: string, address: string) => {
      pair.run(
        namespace,
        `ip addr flush dev ${device}; ${make.replaceAll('va', device)} && ip link set top up && ip addr add ${address}/24 dev top`,
      );
    };
    try {
      side(pair.near, 'va', '10.99.0.1');
    } catch {
      skip(`this kernel has no ${kind}`);
    }
    if (kind === 'vlan') side(pair.far, 'vb', '10.99.0.2');
    const address = pair.run(pair.near, 'cat /sys/class/net/top/address').trim();
    pair.run(pair.far, `ip neigh replace 10.99.0.1 dev ${kind === 'vlan' ? 'top' : 'vb'} lladdr ${address} nud permanent`);
    const sum = ({ rx_bytes, tx_bytes }: { rx_bytes: number; tx_bytes: number }) => rx_bytes + tx_bytes;
    const last = await during(
      'any',
      () => {
        pair.datagrams(pair.near, '10.99.0.2', COUNT);
        pair.datagrams(pair.far, '10.99.0.1', COUNT);
      },
      ({ flows }) =>
        flows.filter(({ interface: name }) => name === 'top').reduce((all, flow) => all + sum(flow), 0) >= 2 * COUNT * BYTES,
    );
    const udp = (name: string) => last.flows.filter((flow) => flow.protocol === 'udp' && flow.interface === name);
    const moved = (name: string) => udp(name).reduce((all, flow) => all + sum(flow), 0);
    expect([moved('va'), moved('top')]).toEqual([2 * COUNT * BYTES, 2 * COUNT * BYTES]);
    const on = Object.fromEntries(last.interfaces.map((row) => [row.interface, row]));
    expect(last.total).toMatchObject({ rx_bytes: on['va']?.rx_bytes, tx_bytes: on['va']?.tx_bytes });
    expect(last.hosts.reduce((all, row) => all + sum(row), 0)).toBe(sum(last.total));
  });

  it.each(['any', 'va'])('what passes by as received, on %s', async (interfaces) => {
    pair.run(pair.far, 'ip neigh replace 10.99.0.77 dev vb lladdr 02:00:00:00:00:99 nud permanent');
    const last = await during(
      interfaces,
      () => pair.datagrams(pair.far, '10.99.0.77', COUNT),
      ({ total }) => total.passing_bytes === COUNT * BYTES,
    );
    expect(last.total).toMatchObject({ rx_bytes: COUNT * BYTES, tx_bytes: 0 });
    expect(last.interfaces.find((row) => row.interface === 'va')).toMatchObject({ passing_bytes: COUNT * BYTES });
    expect(last.flows).toMatchObject([{ direction: 'transit' }]);
  });

  it.each(['any', 'va'])('what is forwarded on the side on which it went, on %s', async (interfaces) => {
    // It comes in by va and leaves there again: the next hop is the machine that sent it.
    pair.run(pair.near, 'sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.va.send_redirects=0');
    pair.run(pair.near, 'ip route add 192.0.2.0/24 via 10.99.0.2');
    pair.run(pair.far, 'ip route add 192.0.2.0/24 via 10.99.0.1');
    const last = await during(
      interfaces,
      () => pair.datagrams(pair.far, '192.0.2.7', COUNT),
      ({ total }) => total.tx_bytes >= COUNT * BYTES,
    );
    const forwarded = { rx_bytes: COUNT * BYTES, tx_bytes: COUNT * BYTES };
    expect(last.total).toMatchObject({ ...forwarded, passing_bytes: 0 });
    expect(last.interfaces.find((row) => row.interface === 'va')).toMatchObject(forwarded);
  });
});
