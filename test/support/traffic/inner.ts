// A third network namespace behind the near side, as a container is: what it sends is routed through the near side, translated or not.

import { spawnSync } from 'node:child_process';
import { type Ground, ip } from './ground.ts';

/** The namespace behind the near side. */
export interface Inner {
  readonly namespace: string;
  readonly v4: string;
  readonly v6: string;
  /** Makes the near side put its own address before what it forwards from now on. @returns why it can't; null where it does */
  translate(): string | null;
  close(): void;
}

/** Makes it, with addresses of RFC 5737 and RFC 3849 and no segmentation offload. */
export function makeInner({ near, far, device }: Ground): Inner {
  const namespace = `${near.namespace}-in`;
  const v4 = '203.0.113.2';
  const v6 = '2001:db8:1::2';
  const gate = 'inner0';
  const close = () => void spawnSync('ip', ['netns', 'del', namespace], { stdio: 'ignore' });
  try {
    ip('netns', 'add', namespace);
    ip('-n', namespace, 'link', 'set', 'lo', 'up');
    ip('link', 'add', gate, 'netns', near.namespace, 'type', 'veth', 'peer', 'name', device, 'netns', namespace);
    inside(namespace, 'sysctl', '-qw', 'net.ipv6.conf.all.accept_dad=0', `net.ipv6.conf.${device}.accept_dad=0`);
    inside(near.namespace, 'sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1');
    for (const [side, link, four, six] of [
      [near.namespace, gate, '203.0.113.1/24', '2001:db8:1::1/64'],
      [namespace, device, `${v4}/24`, `${v6}/64`],
    ] as const) {
      ip('-n', side, 'address', 'add', four, 'dev', link);
      ip('-n', side, 'address', 'add', six, 'dev', link, 'nodad');
      ip('-n', side, 'link', 'set', link, 'gso_max_segs', '1');
      ip('-n', side, 'link', 'set', link, 'up');
    }
    ip('-n', namespace, 'route', 'add', 'default', 'via', '203.0.113.1');
    ip('-n', namespace, '-6', 'route', 'add', 'default', 'via', '2001:db8:1::1');
    ip('-n', far.namespace, 'route', 'add', '203.0.113.0/24', 'via', near.v4);
    ip('-n', far.namespace, '-6', 'route', 'add', '2001:db8:1::/64', 'via', near.v6);
  } catch (thrown) {
    close();
    throw thrown;
  }
  const translate = (): string | null => {
    const rules = `table inet nmt { chain out { type nat hook postrouting priority 100; oifname "${device}" masquerade; }; }`;
    const { status, error, stderr } = inside(near.namespace, 'nft', rules);
    if (error !== undefined || status === 255) return 'needs nft of nftables';
    return status === 0 ? null : `nft: ${stderr.trim().split('\n', 1)[0]}`;
  };
  return { namespace, v4, v6, translate, close };
}

function inside(namespace: string, ...words: string[]) {
  return spawnSync('ip', ['netns', 'exec', namespace, ...words], { encoding: 'utf8' });
}
