// Containers by name, with real cgroups named as engines name them, state files where engines keep them, and root given up: the thread that keeps
// the right to read them answers. The files are in a mount namespace of the test's own.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { netnsObstacle, Pair } from '../support/netns.ts';
import { sayObstacle } from '../support/traffic/obstacle.ts';

const reason = sayObstacle('live test of containers') ?? netnsObstacle('bash');
const ID = '0123456789abcdef'.repeat(4);
const OTHER = 'fedcba9876543210'.repeat(4);
const THIRD = 'ab'.repeat(32);
const STATE = {
  [`/var/lib/docker/containers/${ID}/config.v2.json`]: {
    Name: '/web',
    Config: { Image: 'nginx:1.25', Labels: { 'com.docker.compose.project': 'shop' } },
  },
  '/var/lib/containers/storage/overlay-containers/containers.json': [
    { id: OTHER, names: ['db'], metadata: JSON.stringify({ 'image-name': 'docker.io/library/postgres:16' }) },
  ],
  [`/run/containerd/io.containerd.runtime.v2.task/k8s.io/${THIRD}/config.json`]: {
    annotations: {
      'io.kubernetes.cri.container-name': 'app',
      'io.kubernetes.cri.sandbox-name': 'app-0',
      'io.kubernetes.cri.sandbox-namespace': 'prod',
    },
  },
};
const GROUPS = [`docker-${ID}.scope`, `libpod-${OTHER}.scope`, `kubepods-burstable-pod1_2.slice/cri-containerd-${THIRD}.scope`];

describe.skipIf(reason !== null)('containers, live', () => {
  it.each([
    { options: '', names: ['web', 'db', 'app'], why: [null, null, null] },
    { options: '--drop-all', names: [null, null, 'app'], why: [/--drop-all/, /--drop-all/, null] },
  ])('have names, images and pods with root given up: $options', ({ options, names, why }) => {
    const pair = new Pair();
    const hierarchy = mkdtempSync(join(tmpdir(), 'nmt-cgroup-'));
    execFileSync('mount', ['-t', 'cgroup2', 'none', hierarchy]);
    const groups = GROUPS.map((name) => `${hierarchy}/nmt-${process.pid}/${name}`);
    try {
      const files = Object.entries(STATE).map(
        ([path, state]) => `mkdir -p $(dirname ${path}); cat > ${path} <<'EOF'\n${JSON.stringify(state)}\nEOF\nchmod 600 ${path}`,
      );
      const script = [
        'set -e',
        'mount -t tmpfs none /var/lib; mount -t tmpfs none /run',
        ...files,
        'chmod 755 /run/containerd; find /run/containerd -type d -exec chmod 755 {} +; find /run/containerd -type f -exec chmod 644 {} +',
        ...groups.map((group) => `mkdir -p ${group}`),
        // Each sends from its own group until the program has seen it for a while.
        ...groups.map(
          (group) =>
            `(sh -c 'echo $$ > ${group}/cgroup.procs; exec bash -c "for i in {1..40}; do echo x > /dev/udp/10.99.0.2/9; sleep 0.2; done"' >&2 &)`,
        ),
        `exec ${process.execPath} ${inject('program').bin} --json --duration 5s -i va --user nobody ${options}`,
      ].join('\n');
      const { stdout, stderr } = spawnSync('ip', ['netns', 'exec', pair.near, 'sh', '-c', script], {
        encoding: 'utf8',
        timeout: 60_000,
        maxBuffer: 64 << 20,
      });
      expect(stdout, stderr).not.toBe('');
      const end = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as {
        apps?: { processes: { container: Told | null }[] }[];
      };
      const told = (end.apps ?? []).flatMap(({ processes }) => processes.map(({ container }) => container));
      const of = (id: string) => told.find((each) => each?.id === id);
      const found = [ID, OTHER, THIRD].map(of);
      expect(
        found.map((each) => each?.name),
        stderr,
      ).toEqual(names);
      for (const [i, reasonOf] of why.entries()) if (reasonOf !== null) expect(found[i]?.reason).toMatch(reasonOf);
      if (options !== '') return;
      expect(found[0]).toMatchObject({ engine: 'docker', image: 'nginx:1.25', project: 'shop', reason: null });
      expect(found[1]).toMatchObject({ engine: 'podman', image: 'docker.io/library/postgres:16' });
      expect(found[2]).toMatchObject({ engine: 'containerd', pod: 'app-0', namespace: 'prod' });
    } finally {
      pair.remove();
      const parents = [...groups, ...groups.map((group) => group.slice(0, group.lastIndexOf('/')))];
      for (const group of [...parents, `${hierarchy}/nmt-${process.pid}`])
        execFileSync('sh', ['-c', `rmdir ${group} 2>/dev/null || :`]);
      execFileSync('umount', [hierarchy]);
      rmdirSync(hierarchy);
    }
  });
});

interface Told {
  readonly id: string;
  readonly name: string | null;
  readonly reason: string | null;
}
