// What engines' own files say of a container: Docker, Podman, containerd, CRI-O and what Kubernetes makes of them. It runs where the rights are
// that these files need, reads nothing else, and asks no daemon.

import type { ContainerNames } from '../../../../model/terms.ts';
import type { ContainerRef } from '../../process-facts.ts';
import { eachString } from './json-strings.ts';
import type { TrustedFiles, Unread } from './trusted-files.ts';

/** What is known of a container; null is unknown. */
export type Told = { readonly [Name in keyof ContainerNames]: string | null };
type Draft = { -readonly [Name in keyof Told]: string | null };

/** Sizes of files. One of these describes all containers of a machine. */
const MOST = { one: 1 << 20, all: 4 << 20 } as const;
/** UTF-16 units of a name. */
const LONGEST_NAME = 255;
const DOCKER = ['/var/lib/docker', '/var/snap/docker/common/var-lib-docker'];
const CONTAINERD = ['/run/containerd', '/run/k3s/containerd', '/run/k0s/containerd', '/var/snap/microk8s/common/run/containerd'];
/** containerd's own namespaces: of Kubernetes, and of nerdctl. */
const SPACES = ['k8s.io', 'default'];
const STORAGE = { root: '/var/lib/containers/storage', run: '/run/containers/storage' };
/** Storage drivers of Podman and CRI-O; each has its folder of containers. */
const DRIVERS = ['overlay', 'vfs', 'btrfs', 'zfs'];
const LOGS = '/var/log/containers';
/** Name of a link there: POD_NAMESPACE_CONTAINER-ID.log. */
const LOG = /^([a-z0-9.-]{1,253})_([a-z0-9-]{1,63})_([a-z0-9-]{1,63})-[0-9a-f]{64}\.log$/;

/** Names in a specification of the Open Container Initiative, or in labels, by where they go. The first that is there counts. */
const ANNOTATIONS: Readonly<Record<string, keyof Told>> = {
  'io.kubernetes.cri.container-name': 'container',
  'io.kubernetes.cri.image-name': 'image',
  'io.kubernetes.cri.sandbox-name': 'pod',
  'io.kubernetes.cri.sandbox-namespace': 'namespace',
  'io.kubernetes.container.name': 'container',
  'io.kubernetes.pod.name': 'pod',
  'io.kubernetes.pod.namespace': 'namespace',
  'io.kubernetes.cri-o.ImageName': 'image',
  'nerdctl/name': 'container',
  'com.docker.compose.project': 'project',
  'io.podman.compose.project': 'project',
};
/** The container that holds a pod's namespaces. */
const SANDBOX = ['io.kubernetes.cri.container-type', 'io.kubernetes.cri-o.ContainerType'];
/** Where Podman says to which pod a container belongs. */
const POD_ID = 'io.kubernetes.cri-o.SandboxID';

/** Reads engines' files. */
export class StateFiles {
  readonly #files: TrustedFiles;
  readonly #passwd: () => string;
  #worst: Unread = 'missing';

  /** @param passwd text of passwd(5): where users' engines keep their files */
  constructor(files: TrustedFiles, passwd: () => string) {
    this.#files = files;
    this.#passwd = passwd;
  }

  /** What is known of a container, or why nothing is. */
  read(ref: ContainerRef): Told | Unread {
    const { engine, id, owner } = ref;
    if (!/^[0-9a-f]{12,64}$/.test(id) || (owner !== null && !(owner >= 0 && owner < 2 ** 32))) return 'missing';
    this.#worst = 'missing';
    const home = owner === null ? null : this.#homeOf(owner);
    if (owner !== null && home === null) return 'missing';
    switch (engine) {
      case 'docker':
        return this.#docker(ref, home) ?? this.#worst;
      case 'podman':
        return this.#podman(ref, home) ?? this.#worst;
      case 'cri-o':
        return (owner === null ? this.#logged(id, this.#stored(id)) : null) ?? this.#worst;
      case 'containerd':
      case 'nerdctl':
        return (owner === null ? this.#logged(id, this.#task(id)) : null) ?? this.#worst;
      case 'kubernetes':
        return (
          (owner === null ? this.#logged(id, this.#task(id) ?? this.#stored(id) ?? this.#docker(ref, null)) : null) ?? this.#worst
        );
      default:
        return 'missing';
    }
  }

  #docker({ id, owner }: ContainerRef, home: string | null): Told | null {
    for (const base of home === null ? [...DOCKER, ...this.#moved()] : [`${home}/.local/share/docker`]) {
      const text = this.#text(base, `containers/${id}/config.v2.json`, owner, MOST.one);
      if (text === null) continue;
      const told = nothing();
      const labels = nothing();
      const isWhole = eachString(text, (path, read) => {
        if (path.length === 1 && path[0] === 'Name') told.container = nameOf(read())?.replace(/^\//, '') ?? null;
        else if (path[0] !== 'Config') return;
        else if (path.length === 2 && path[1] === 'Image') told.image = nameOf(read());
        else if (path.length === 3 && path[1] === 'Labels') note(labels, path[2], read);
      });
      // The name that Docker has for a container of Kubernetes is k8s_web_shop-0_prod_...: its own name is in the labels.
      if (isWhole) return { ...labels, image: told.image, container: labels.container ?? told.container };
      this.#worst = 'refused';
    }
    return null;
  }

  /** Where Docker was told to keep its files. */
  #moved(): string[] {
    const text = this.#text('/etc/docker', 'daemon.json', null, MOST.one);
    const found: string[] = [];
    if (text !== null)
      eachString(text, (path, read) => {
        const folder = path.length === 1 && path[0] === 'data-root' ? read() : null;
        if (folder !== null && /^\/[^\0]{1,255}$/.test(folder) && !folder.split('/').includes('..')) found.push(folder);
      });
    return found.slice(0, 1);
  }

  #podman({ id, owner }: ContainerRef, home: string | null): Told | null {
    const [root, run] =
      home === null ? [STORAGE.root, STORAGE.run] : [`${home}/.local/share/containers/storage`, `/run/user/${owner}/containers`];
    for (const driver of DRIVERS) {
      const folder = `${driver}-containers`;
      for (const [base, file] of [
        [root, 'containers.json'],
        [run, 'volatile-containers.json'],
        [root, 'volatile-containers.json'],
      ] as const) {
        const list = this.#text(base, `${folder}/${file}`, owner, MOST.all);
        const told = list === null ? null : listed(list, id);
        if (list === null || told === null) continue;
        const spec = this.#text(root, `${folder}/${id}/userdata/config.json`, owner, MOST.one);
        const { pod = null, names = nothing() } = spec === null ? {} : specified(spec);
        if (pod === null) return { ...names, container: told.container, image: told.image };
        // A pod's name is that of the machine that it plays; the container that holds its namespaces knows it.
        const infra = idOf(list, `${pod.slice(0, 12)}-infra`);
        const sandbox = infra === null ? null : this.#text(root, `${folder}/${infra}/userdata/config.json`, owner, MOST.one);
        const podName = sandbox === null ? null : specified(sandbox).hostname;
        return { ...names, container: told.container, image: told.image, pod: podName ?? pod.slice(0, 12) };
      }
    }
    return null;
  }

  /** What CRI-O says. */
  #stored(id: string): Told | null {
    for (const base of [STORAGE.run, STORAGE.root])
      for (const driver of DRIVERS) {
        const spec = this.#text(base, `${driver}-containers/${id}/userdata/config.json`, null, MOST.one);
        if (spec !== null) return specified(spec).names;
      }
    return null;
  }

  /** What containerd told the program that runs the container. */
  #task(id: string): Told | null {
    for (const base of CONTAINERD)
      for (const space of SPACES) {
        const spec = this.#text(base, `io.containerd.runtime.v2.task/${space}/${id}/config.json`, null, MOST.one);
        if (spec !== null) return specified(spec).names;
      }
    return null;
  }

  /** Adds what the name of a log says, where the pod isn't known. */
  #logged(id: string, told: Told | null): Told | null {
    if (told !== null && told.container !== null) return told;
    const found = this.#files.find(LOGS, null, (each) => each.endsWith(`-${id}.log`));
    const names = found === null ? null : LOG.exec(found);
    if (names === null) return told;
    const [, pod = null, namespace = null, container = null] = names;
    return { image: null, project: null, ...told, container, pod, namespace };
  }

  #text(base: string, path: string, owner: number | null, most: number): Buffer | null {
    const found = this.#files.read(base, path, owner, most);
    if (typeof found !== 'string') return found;
    if (found !== 'missing' && this.#worst !== 'hidden') this.#worst = found;
    return null;
  }

  #homeOf(uid: number): string | null {
    for (const line of this.#passwd().split('\n')) {
      const fields = line.split(':');
      if (fields[2] === String(uid) && fields[5]?.startsWith('/') === true) return fields[5].replace(/\/+$/, '');
    }
    return null;
  }
}

function nothing(): Draft {
  return { container: null, image: null, pod: null, namespace: null, project: null };
}

function nameOf(text: string | null): string | null {
  return text === null || text === '' ? null : text.slice(0, LONGEST_NAME);
}

function note(names: Draft, key: string | undefined, read: () => string | null): void {
  const name = Object.hasOwn(ANNOTATIONS, key ?? '') ? ANNOTATIONS[key as string] : undefined;
  if (name !== undefined) names[name] ??= nameOf(read());
}

/** What a specification says. A sandbox is called after what it is. */
function specified(spec: Buffer): { readonly names: Told; readonly pod: string | null; readonly hostname: string | null } {
  const names = nothing();
  let pod: string | null = null;
  let hostname: string | null = null;
  eachString(spec, (path, read) => {
    if (path.length === 1 && path[0] === 'hostname') hostname = nameOf(read());
    if (path.length !== 2 || path[0] !== 'annotations') return;
    const key = path[1] as string;
    if (key === POD_ID) pod = /^[0-9a-f]{64}$/.exec(read() ?? '')?.[0] ?? null;
    else if (SANDBOX.includes(key) && read() === 'sandbox') names.container ??= 'sandbox';
    else note(names, key, read);
  });
  return { names, pod, hostname };
}

/** What a list of containers says of one. A container's id stands before the rest of it. */
function listed(list: Buffer, id: string): Pick<Told, 'container' | 'image'> | null {
  let isIt = false;
  let container: string | null = null;
  let image: string | null = null;
  let isFound = false;
  const isWhole = eachString(list, (path, read) => {
    if (path[0] !== '' || path.length > 3) return;
    if (path.length === 2 && path[1] === 'id') {
      isIt = read() === id;
      isFound ||= isIt;
    } else if (!isIt) return;
    else if (path.length === 3 && path[1] === 'names') container ??= nameOf(read());
    else if (path.length === 2 && path[1] === 'metadata')
      eachString(Buffer.from(read() ?? ''), (inner, value) => {
        if (inner.length === 1 && inner[0] === 'image-name') image = nameOf(value());
      });
  });
  return isWhole && isFound ? { container, image } : null;
}

/** The id of a container in a list by its name. */
function idOf(list: Buffer, name: string): string | null {
  let id: string | null = null;
  let found: string | null = null;
  eachString(list, (path, read) => {
    if (path.length === 2 && path[1] === 'id') id = /^[0-9a-f]{64}$/.exec(read() ?? '')?.[0] ?? null;
    else if (path.length === 3 && path[1] === 'names' && found === null && read() === name) found = id;
  });
  return found;
}
