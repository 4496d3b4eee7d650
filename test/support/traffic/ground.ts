// Two network namespaces of a test's own, joined by a veth pair: `near` is watched, `far` is where the peers are. Nothing leaves them.

import { spawnSync } from 'node:child_process';

let number = 0;

/** One end of the pair. */
export interface Side {
  readonly namespace: string;
  readonly v4: string;
  readonly v6: string;
  readonly card: string;
}

/** Both sides; `device` is the name of the veth in each. */
export interface Ground {
  readonly near: Side;
  readonly far: Side;
  readonly device: string;
  close(): void;
}

/** Runs ip(8). Throws with what it said. */
export function ip(...words: string[]): void {
  const { status, stderr } = spawnSync('ip', words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ip ${words.join(' ')}: ${stderr.trim()}`);
}

/**
 * Makes the ground. Addresses are of RFC 5737 and RFC 3849. No segmentation offload on the pair: what is captured is then what a wire
 * would carry, and a byte count has one right answer.
 */
export function makeGround(): Ground {
  const tag = `${process.pid}-${number++}`;
  const device = 'wire0';
  const near: Side = { namespace: `nmt-${tag}-a`, v4: '198.51.100.1', v6: '2001:db8::1', card: '02:00:00:00:00:01' };
  const far: Side = { namespace: `nmt-${tag}-b`, v4: '198.51.100.2', v6: '2001:db8::2', card: '02:00:00:00:00:02' };
  const close = () => {
    for (const { namespace } of [near, far]) spawnSync('ip', ['netns', 'del', namespace], { stdio: 'ignore' });
  };
  try {
    for (const { namespace } of [near, far]) {
      ip('netns', 'add', namespace);
      ip('-n', namespace, 'link', 'set', 'lo', 'up');
    }
    const cards = ['netns', near.namespace, 'address', near.card, 'type', 'veth', 'peer', 'name', device, 'netns', far.namespace];
    ip('link', 'add', device, ...cards, 'address', far.card);
    for (const [side, other] of [
      [near, far],
      [far, near],
    ] as const) {
      const inside = ['-n', side.namespace];
      set(side.namespace, 'net.ipv6.conf.all.accept_dad=0', `net.ipv6.conf.${device}.accept_dad=0`);
      set(side.namespace, `net.ipv6.conf.${device}.accept_ra=0`, 'net.ipv4.ping_group_range=0 0');
      set(side.namespace, 'net.ipv4.icmp_ratelimit=0');
      ip(...inside, 'address', 'add', `${side.v4}/24`, 'dev', device);
      ip(...inside, 'address', 'add', `${side.v6}/64`, 'dev', device, 'nodad');
      ip(...inside, 'link', 'set', device, 'gso_max_segs', '1');
      ip(...inside, 'link', 'set', device, 'up');
      for (const to of [other.v4, other.v6]) ip(...inside, 'neighbour', 'replace', to, 'lladdr', other.card, 'dev', device);
    }
  } catch (thrown) {
    close();
    throw thrown;
  }
  return { near, far, device, close };
}

function set(namespace: string, ...assignments: string[]): void {
  spawnSync('ip', ['netns', 'exec', namespace, 'sysctl', '-qw', ...assignments], { stdio: 'ignore' });
}
