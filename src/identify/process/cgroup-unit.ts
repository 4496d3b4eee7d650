// The systemd unit or container of a process, from its cgroup path. Text only; asks no daemon.

import { sanitize } from '../../net/text.ts';

/** How engines name a container's cgroup: docker-ID.scope, /docker/ID, libpod-ID.scope, cri-containerd-ID.scope, crio-ID.scope, /lxc/NAME. */
const CONTAINER =
  /(docker|libpod|cri-containerd|crio|containerd|nerdctl|podman)[-/]([0-9a-f]{12})[0-9a-f]{0,52}(?:\.scope)?(?:\/|$)/m;
const LXC = /\/lxc(?:\.payload)?[./]([\w.-]{1,64})/;
const ENGINE: Readonly<Record<string, string>> = { libpod: 'podman', 'cri-containerd': 'containerd', crio: 'cri-o' };
const UNIT = /\/([\w:@.\\-]{1,128}\.(?:service|socket))(?:\/|$)/g;

/**
 * `docker 0123456789ab`, `ssh.service`, or null.
 *
 * @param cgroup text of /proc/PID/cgroup: `hierarchy:controllers:path` a line
 */
export function unitOf(cgroup: string): string | null {
  const container = CONTAINER.exec(cgroup);
  if (container !== null) return `${ENGINE[container[1] as string] ?? container[1]} ${container[2]}`;
  const lxc = LXC.exec(cgroup);
  if (lxc !== null) return `lxc ${lxc[1]}`;
  for (const line of cgroup.split('\n')) {
    if (!/^(0::|1:name=systemd:)/.test(line)) continue;
    // The innermost: user@1000.service/app.slice/firefox.service is firefox.service.
    const unit = [...line.matchAll(UNIT)].at(-1)?.[1];
    if (unit !== undefined && !unit.startsWith('user@')) return sanitize(unit.replaceAll('\\x2d', '-'));
  }
  return null;
}
