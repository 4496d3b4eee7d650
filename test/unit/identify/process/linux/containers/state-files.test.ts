// Files as each engine writes them, and as somebody hostile might.

import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { StateFiles } from '../../../../../../src/identify/process/linux/containers/state-files.ts';
import { TrustedFiles } from '../../../../../../src/identify/process/linux/containers/trusted-files.ts';
import { fakeRoot } from '../../../../../support/fake-edges.ts';

const ID = '0123456789abcdef'.repeat(4);
const OTHER = 'fedcba9876543210'.repeat(4);
const NOTHING = { container: null, image: null, pod: null, namespace: null, project: null };
const isLinux = process.platform === 'linux';
const isRoot = process.getuid?.() === 0;

const json = (value: unknown) => JSON.stringify(value);
const DOCKER = `var/lib/docker/containers/${ID}/config.v2.json`;
const dockerState = (labels: Record<string, string> = {}, name = '/shop-web-1') =>
  json({
    StreamConfig: {},
    State: { Running: true, Pid: 4711, Health: null },
    ID,
    Image: 'sha256:ab12',
    Config: { Hostname: '0123456789ab', Env: ['SECRET=1'], Image: 'nginx:1.25', Volumes: null, Labels: labels },
    Name: name,
    MountPoints: { '/x': { Source: '/srv', Spec: { Name: 'not this' } } },
  });
const STORAGE = 'var/lib/containers/storage/overlay-containers';
/** As Podman 4.3.1 writes it. */
const listed = (...containers: [id: string, name: string][]) =>
  json(
    containers.map(([id, name]) => ({
      id,
      names: [name],
      image: '74ee7bf0cc072be1746a8600ac201542f5dd37b38f5cae74bc0f6ab7047e54a4',
      layer: 'ca2925875ac035a4',
      metadata: json({ 'image-name': `localhost/${name}:1`, 'image-id': '74ee', name, 'created-at': 1_796_068_859 }),
      created: '2026-11-30T20:00:59.343240812Z',
      flags: { MountLabel: '', ProcessLabel: '' },
    })),
  );
const spec = (annotations: Record<string, string>, hostname = '0123456789ab') =>
  json({
    ociVersion: '1.0.2-dev',
    process: { args: ['sleep', '600'], env: ['PATH=/bin'], capabilities: { bounding: ['CAP_CHOWN'] } },
    hostname,
    annotations,
    linux: { cgroupsPath: '/libpod_parent/x', namespaces: [{ type: 'pid' }] },
  });
const CRI = {
  'io.kubernetes.cri.container-name': 'web',
  'io.kubernetes.cri.container-type': 'container',
  'io.kubernetes.cri.image-name': 'registry.example.org/web:2',
  'io.kubernetes.cri.sandbox-id': OTHER,
  'io.kubernetes.cri.sandbox-name': 'web-7d9f8c-abcde',
  'io.kubernetes.cri.sandbox-namespace': 'shop',
};
const TASK = `run/containerd/io.containerd.runtime.v2.task/k8s.io/${ID}/config.json`;

let root = '';
afterEach(() => {
  if (root !== '') rmSync(root, { recursive: true, force: true });
});

function read(files: Record<string, string>, engine: string, owner: number | null = null, id = ID) {
  root = fakeRoot(files);
  return again(engine, owner, id);
}

function again(engine: string, owner: number | null = null, id = ID) {
  const trusted = new TrustedFiles('/proc', root, process.getuid?.() ?? 0);
  return new StateFiles(trusted, () => 'root:x:0:0::/root:/bin/sh\nann:x:1000:1000:Ann:/home/ann:/bin/sh\n').read({
    engine,
    id,
    owner,
  });
}

describe.skipIf(!isLinux)(`${isLinux ? '' : 'skipped, this is no Linux: '}what engines' files tell`, () => {
  it('Docker, with Compose', () => {
    const files = { [DOCKER]: dockerState({ 'com.docker.compose.project': 'shop', 'com.docker.compose.service': 'web' }) };
    expect(read(files, 'docker')).toEqual({ ...NOTHING, container: 'shop-web-1', image: 'nginx:1.25', project: 'shop' });
  });

  it('Docker, for Kubernetes', () => {
    const labels = {
      'io.kubernetes.container.name': 'web',
      'io.kubernetes.pod.name': 'web-0',
      'io.kubernetes.pod.namespace': 'shop',
    };
    const told = { container: 'web', image: 'nginx:1.25', pod: 'web-0', namespace: 'shop', project: null };
    expect(read({ [DOCKER]: dockerState(labels, '/k8s_web_web-0_shop_1_0') }, 'docker')).toEqual(told);
    expect(again('kubernetes')).toEqual(told);
  });

  it('Docker, where its folder is a link, or was moved by its configuration', () => {
    const elsewhere = { [DOCKER.replace('var/lib', 'data')]: dockerState() };
    root = fakeRoot({ ...elsewhere, 'var/lib/x': '' });
    symlinkSync(join(root, 'data/docker'), join(root, 'var/lib/docker'));
    expect(again('docker')).toMatchObject({ container: 'shop-web-1' });
    rmSync(root, { recursive: true });
    expect(read({ ...elsewhere, 'etc/docker/daemon.json': '{"data-root": "/data/docker"}' }, 'docker')).toMatchObject({
      container: 'shop-web-1',
    });
  });

  it('Podman', () => {
    const files = {
      [`${STORAGE}/containers.json`]: listed([OTHER, 'db'], [ID, 'web']),
      [`${STORAGE}/${ID}/userdata/config.json`]: spec({}),
    };
    expect(read(files, 'podman')).toEqual({ ...NOTHING, container: 'web', image: 'localhost/web:1' });
    expect(again('podman', null, 'a'.repeat(64))).toBe('missing');
  });

  it('Podman, in a pod and with --rm', () => {
    const pod = '1ac4d57795c796e5112398f8c4c339e78dfae03ae50494fb0a15c329222ee7bf';
    const files = {
      'run/containers/storage/overlay-containers/volatile-containers.json': listed([ID, 'web'], [OTHER, '1ac4d57795c7-infra']),
      [`${STORAGE}/${ID}/userdata/config.json`]: spec({ 'io.kubernetes.cri-o.SandboxID': pod }),
      [`${STORAGE}/${OTHER}/userdata/config.json`]: spec({}, 'shoppod'),
    };
    expect(read(files, 'podman')).toMatchObject({ container: 'web', pod: 'shoppod', namespace: null });
  });

  it.skipIf(!isRoot)('Podman of a user, from files that the user owns', () => {
    const own = 'home/ann/.local/share/containers/storage/overlay-containers/containers.json';
    root = fakeRoot({ [own]: listed([ID, 'ann-web']) });
    for (let at = join(root, own); at !== join(root, 'home'); at = dirname(at)) chownSync(at, 1000, 1000);
    expect(again('podman', 1000)).toMatchObject({ container: 'ann-web' });
    expect(again('podman')).toBe('missing');
    expect(again('podman', 1001)).toBe('missing');
    chownSync(join(root, own), 1001, 1001);
    expect(again('podman', 1000)).toBe('refused');
  });

  it.each(['run/containerd', 'run/k3s/containerd'])('containerd for Kubernetes, in %s', (base) => {
    const told = {
      container: 'web',
      image: 'registry.example.org/web:2',
      pod: 'web-7d9f8c-abcde',
      namespace: 'shop',
      project: null,
    };
    expect(read({ [TASK.replace('run/containerd', base)]: spec(CRI) }, 'containerd')).toEqual(told);
    expect(again('kubernetes')).toEqual(told);
  });

  it("a pod's sandbox, and nerdctl", () => {
    expect(
      read(
        { [TASK]: spec({ ...CRI, 'io.kubernetes.cri.container-name': '', 'io.kubernetes.cri.container-type': 'sandbox' }) },
        'containerd',
      ),
    ).toMatchObject({ container: 'sandbox', pod: 'web-7d9f8c-abcde' });
    rmSync(root, { recursive: true });
    expect(read({ [TASK.replace('k8s.io', 'default')]: spec({ 'nerdctl/name': 'web' }) }, 'nerdctl')).toMatchObject({
      container: 'web',
    });
  });

  it('CRI-O', () => {
    const annotations = {
      'io.kubernetes.container.name': 'web',
      'io.kubernetes.pod.name': 'web-0',
      'io.kubernetes.pod.namespace': 'shop',
      'io.kubernetes.cri-o.ImageName': 'quay.io/web:3',
    };
    const told = { container: 'web', image: 'quay.io/web:3', pod: 'web-0', namespace: 'shop', project: null };
    expect(
      read({ [`run/containers/storage/overlay-containers/${ID}/userdata/config.json`]: spec(annotations) }, 'cri-o'),
    ).toEqual(told);
    expect(again('kubernetes')).toEqual(told);
  });

  it('the names of logs, where nothing else is there', () => {
    const files = { [`var/log/containers/web-0_shop_web-${ID}.log`]: '-> /var/log/pods/x', 'var/log/containers/a_b_c-d.log': '' };
    expect(read(files, 'containerd')).toEqual({ ...NOTHING, container: 'web', pod: 'web-0', namespace: 'shop' });
  });
});

describe.skipIf(!isLinux)(`${isLinux ? '' : 'skipped, this is no Linux: '}hostile files`, () => {
  it('are not there, or not for a container that was not asked about', () => {
    expect(read({}, 'docker')).toBe('missing');
    expect(again('docker', null, '../../../etc/passwd')).toBe('missing');
    expect(again('docker', null, 'a/../b')).toBe('missing');
    expect(again('rkt')).toBe('missing');
    expect(again('docker', 4242)).toBe('missing');
  });

  it('links on the way, or in place of the file', () => {
    root = fakeRoot({
      'secret/config.v2.json': dockerState(),
      [`secret/${ID}/config.v2.json`]: dockerState(),
      'var/lib/docker/x': '',
    });
    symlinkSync(join(root, 'secret'), join(root, 'var/lib/docker/containers'));
    expect(again('docker')).toBe('refused');
    rmSync(join(root, 'var/lib/docker/containers'));
    mkdirSync(join(root, dirname(DOCKER)), { recursive: true });
    symlinkSync(join(root, 'secret/config.v2.json'), join(root, DOCKER));
    expect(again('docker')).toBe('refused');
  });

  it('a FIFO, a folder, a huge file', () => {
    root = fakeRoot({ [`${dirname(DOCKER)}/x`]: '' });
    execFileSync('mkfifo', [join(root, DOCKER)]);
    expect(again('docker')).toBe('refused');
    rmSync(join(root, DOCKER));
    mkdirSync(join(root, DOCKER));
    expect(again('docker')).toBe('refused');
    rmSync(join(root, DOCKER), { recursive: true });
    writeFileSync(join(root, DOCKER), dockerState());
    truncateSync(join(root, DOCKER), 2 ** 40);
    expect(again('docker')).toBe('refused');
    writeFileSync(join(root, DOCKER), dockerState() + ' '.repeat(1 << 20));
    expect(again('docker')).toBe('refused');
    writeFileSync(join(root, DOCKER), dockerState());
    expect(again('docker')).toMatchObject({ container: 'shop-web-1' });
  });

  it('a file cut off, and deep JSON', () => {
    expect(read({ [DOCKER]: dockerState().slice(0, -20) }, 'docker')).toBe('refused');
    writeFileSync(join(root, DOCKER), `{"Name":"/web","x":${'[{"a":'.repeat(50_000)}1${'}]'.repeat(50_000)}}`);
    expect(again('docker')).toMatchObject({ container: 'web' });
  });

  it('names without bounds, and fields that are no texts', () => {
    const told = read({ [DOCKER]: dockerState({}, `/${'n'.repeat(3000)}`) }, 'docker');
    expect(told).toMatchObject({ container: 'n'.repeat(254) });
    writeFileSync(join(root, DOCKER), json({ Name: 7, Config: { Image: ['x'], Labels: { __proto__: 'x', constructor: 'y' } } }));
    expect(again('docker')).toEqual(NOTHING);
  });

  it("a user's files on a file system that may keep its reader waiting", () => {
    const own = 'home/ann/.local/share/containers/storage/overlay-containers/containers.json';
    root = fakeRoot({ [own]: listed([ID, 'ann-web']), 'home/ann/my folder/x': '' });
    const uid = process.getuid?.() ?? 0;
    const on = (type: string) => {
      mkdirSync(join(root, 'proc/self'), { recursive: true });
      const mounts = `22 1 8:1 / / rw - ext4 /dev/sda1 rw\n36 22 0:5 / ${root}/home rw shared:1 - ${type} x rw\n`;
      writeFileSync(join(root, 'proc/self/mountinfo'), mounts);
      const files = new StateFiles(new TrustedFiles(join(root, 'proc'), root, uid), () => 'ann:x:1000:1000::/home/ann:/bin/sh\n');
      return files.read({ engine: 'podman', id: ID, owner: 1000 });
    };
    expect(on('xfs')).toMatchObject({ container: 'ann-web' });
    for (const type of ['nfs4', 'fuse.sshfs', 'fuse', 'autofs', 'cifs']) expect(on(type)).toBe('refused');
    expect(on('fuseblk')).toMatchObject({ container: 'ann-web' });
  });

  it.skipIf(!isRoot)("another user's file or folder", () => {
    root = fakeRoot({ [DOCKER]: dockerState() });
    chownSync(join(root, DOCKER), 1000, 1000);
    expect(again('docker')).toBe('refused');
    chownSync(join(root, DOCKER), 0, 0);
    chownSync(join(root, dirname(DOCKER)), 1000, 1000);
    expect(again('docker')).toBe('refused');
  });

  it.skipIf(isRoot)('a file that may not be read', () => {
    root = fakeRoot({ [DOCKER]: dockerState() });
    chmodSync(join(root, dirname(DOCKER)), 0);
    expect(again('docker')).toBe('hidden');
    chmodSync(join(root, dirname(DOCKER)), 0o700);
  });
});
