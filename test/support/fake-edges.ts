// Edges that answer from a table and a folder of made-up system files; what was run is recorded.

import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { type NetworkInterfaceInfo, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { EdgePaths, Edges, RunResult } from '../../src/system/edges.ts';

export interface FakeEdges extends Edges {
  /** `path arg arg` of every program that was run. */
  readonly ran: string[];
}

export interface FakeSystem {
  platform?: Edges['platform'];
  /** Under the folder that stands for `/`: `proc/net/route`, `sys/class/net/eth0/type` ...; a value of `-> target` makes a link. */
  files?: Record<string, string>;
  /** By `name arg arg`, without the folder of the program. */
  programs?: Record<string, Partial<RunResult>>;
  interfaces?: NodeJS.Dict<NetworkInterfaceInfo[]>;
  euid?: number;
  spawn?: (path: string, args: readonly string[]) => ChildProcess;
}

const roots: string[] = [];

/** Removes the folders of a test file. */
export function removeFakeRoots(): void {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true, force: true });
}

/** A folder with these files in it; gone when the test file is done. */
export function fakeRoot(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), 'netmon-system-'));
  roots.push(root);
  for (const [path, content] of Object.entries(files)) {
    const full = join(root, path);
    mkdirSync(dirname(full), { recursive: true });
    if (content.startsWith('-> ')) symlinkSync(content.slice(3), full);
    else writeFileSync(full, content);
  }
  return root;
}

/** Sysfs files of one interface. */
export function sysfs(name: string, facts: Record<string, string | number>): Record<string, string> {
  const files: Record<string, string> = {};
  for (const [fact, value] of Object.entries(facts)) files[`sys/class/net/${name}/${fact}`] = `${value}\n`;
  return files;
}

export function fakeEdges(system: FakeSystem = {}): FakeEdges {
  const root = fakeRoot(system.files ?? {});
  const ran: string[] = [];
  const paths: EdgePaths = {
    tcpdump: '/usr/sbin/tcpdump',
    nettop: '/usr/bin/nettop',
    lsof: '/usr/sbin/lsof',
    netstat: '/usr/sbin/netstat',
    route: '/sbin/route',
    ps: '/bin/ps',
    arp: '/usr/sbin/arp',
    ndp: '/usr/sbin/ndp',
    ifconfig: '/sbin/ifconfig',
    pbcopy: '/usr/bin/pbcopy',
    codesign: '/usr/bin/codesign',
    proc: join(root, 'proc'),
    sys: join(root, 'sys'),
    passwd: join(root, 'etc/passwd'),
    packages: root,
  };
  return {
    platform: system.platform ?? 'linux',
    paths,
    ran,
    run(path, args) {
      const key = [path.slice(path.lastIndexOf('/') + 1), ...args].join(' ');
      ran.push([path, ...args].join(' '));
      const found = system.programs?.[key];
      const absent: RunResult = { status: null, stdout: '', stderr: '', cut: null, failure: 'ENOENT' };
      if (found === undefined) return Promise.resolve(absent);
      return Promise.resolve({ status: 0, stdout: '', stderr: '', cut: null, failure: null, ...found });
    },
    spawn(path, args) {
      ran.push([path, ...args].join(' '));
      if (system.spawn === undefined) throw new Error('this fake starts no programs');
      return system.spawn(path, args);
    },
    networkInterfaces: () => system.interfaces ?? {},
    euid: () => system.euid ?? 0,
  };
}

/** An entry of `os.networkInterfaces()`. */
export function interfaceInfo(address: string): NetworkInterfaceInfo {
  const family = address.includes(':') ? 'IPv6' : 'IPv4';
  const base = { address, netmask: '', mac: '00:00:00:00:00:00', internal: false, cidr: null };
  return family === 'IPv4' ? { ...base, family } : { ...base, family, scopeid: 0 };
}
