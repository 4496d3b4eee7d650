// The systemd unit and the container of a process, from its cgroup path alone; no daemon is asked.

import { sanitize } from '../../../../net/text.ts';
import type { ContainerRef } from '../../process-facts.ts';

/** How engines name a container's cgroup: docker-ID.scope, /docker/ID, libpod-ID.scope, cri-containerd-ID.scope, crio-ID.scope. */
const CONTAINER = /(docker|libpod|cri-containerd|crio|containerd|nerdctl|podman)[-/:]([0-9a-f]{12,64})(?:\.scope)?(?:\/|$)/m;
/** Kubernetes without systemd names no engine: /kubepods/burstable/podUID/ID. */
const POD = /\/kubepods[^\n]{0,200}\/pod[0-9a-f_-]{8,64}\/([0-9a-f]{64})(?:\/|$)/m;
const LXC = /\/lxc(?:\.payload)?[./]([\w.-]{1,64})/;
const ENGINE: Readonly<Record<string, string>> = { libpod: 'podman', 'cri-containerd': 'containerd', crio: 'cri-o' };
const UNIT = /\/([\w:@.\\-]{1,128}\.(?:service|socket))(?:\/|$)/g;
/** Whoever may write below this makes the names there. */
const OWNER = /\/user(?:@|-)(\d{1,10})\.(?:service|slice)\//;

/**
 * The container that a process runs in; null if it runs in none.
 *
 * @param cgroup text of /proc/PID/cgroup: `hierarchy:controllers:path` a line
 */
export function containerOf(cgroup: string): ContainerRef | null {
  const named = CONTAINER.exec(cgroup);
  if (named !== null)
    return { engine: ENGINE[named[1] as string] ?? (named[1] as string), id: named[2] as string, owner: ownerOf(cgroup, named) };
  const pod = POD.exec(cgroup);
  if (pod !== null) return { engine: 'kubernetes', id: pod[1] as string, owner: ownerOf(cgroup, pod) };
  const lxc = LXC.exec(cgroup);
  return lxc === null ? null : { engine: 'lxc', id: lxc[1] as string, owner: ownerOf(cgroup, lxc) };
}

/** The user whose part of the tree it is; null if only root can have made it. */
function ownerOf(cgroup: string, { index }: RegExpExecArray): number | null {
  const owner = OWNER.exec(cgroup.slice(cgroup.lastIndexOf('\n', index) + 1, index + 1));
  return owner === null ? null : Number(owner[1]);
}

/**
 * `ssh.service`, or null.
 *
 * @param cgroup as for `containerOf`
 */
export function unitOf(cgroup: string): string | null {
  for (const line of cgroup.split('\n')) {
    if (!/^(0::|1:name=systemd:)/.test(line)) continue;
    // The innermost: user@1000.service/app.slice/firefox.service is firefox.service.
    const unit = [...line.matchAll(UNIT)].at(-1)?.[1];
    if (unit !== undefined && !unit.startsWith('user@')) return sanitize(unit.replaceAll('\\x2d', '-'));
  }
  return null;
}
