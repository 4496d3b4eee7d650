// Network namespaces of a bench: made for it, with names of their own, and removed on every way out. Nothing is sent outside of them.

import { spawnSync } from 'node:child_process';
import { CannotRun } from './cannot-run.js';

const made = new Set();
let number = 0;
process.on('exit', removeAll);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));

function removeAll() {
  for (const name of made) spawnSync('ip', ['netns', 'del', name], { stdio: 'ignore' });
  made.clear();
}

/** Throws CannotRun where namespaces can't be made. */
export function needNamespaces() {
  if (process.platform !== 'linux') throw new CannotRun('it takes network namespaces, which are Linux only');
  if (process.geteuid?.() !== 0) throw new CannotRun('it takes root, to make network namespaces');
  if (spawnSync('ip', ['netns'], { stdio: 'ignore' }).status !== 0) throw new CannotRun('it takes ip of iproute2');
}

/** Makes a namespace with loopback up. @returns its name */
export function makeNamespace() {
  const name = `nmb-${process.pid}-${number++}`;
  ip('netns', 'add', name);
  made.add(name);
  ip('-n', name, 'link', 'set', 'lo', 'up');
  return name;
}

/**
 * Joins two namespaces by a veth pair, 192.0.2.1 and 192.0.2.2 (RFC 5737), without the kernel's own chatter: no IPv6, fixed neighbours.
 *
 * @returns name of the interface in each of them
 */
export function joinNamespaces(left, right) {
  const device = 'bench0';
  ip(
    'link',
    'add',
    device,
    'netns',
    left,
    'address',
    '02:00:00:00:00:01',
    'type',
    'veth',
    'peer',
    'name',
    device,
    'netns',
    right,
    'address',
    '02:00:00:00:00:02',
  );
  for (const [namespace, own, other, card] of [
    [left, '192.0.2.1', '192.0.2.2', '02:00:00:00:00:02'],
    [right, '192.0.2.2', '192.0.2.1', '02:00:00:00:00:01'],
  ]) {
    ip('netns', 'exec', namespace, 'sysctl', '-qw', `net.ipv6.conf.${device}.disable_ipv6=1`);
    ip('-n', namespace, 'address', 'add', `${own}/30`, 'dev', device);
    ip('-n', namespace, 'link', 'set', device, 'up');
    ip('-n', namespace, 'neighbour', 'replace', other, 'lladdr', card, 'dev', device);
  }
  return device;
}

/** Removes a namespace, and with it the interfaces in it. */
export function removeNamespace(name) {
  if (made.delete(name)) ip('netns', 'del', name);
}

function ip(...words) {
  const { status, stderr } = spawnSync('ip', words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ip ${words.join(' ')}: ${stderr.trim()}`);
}
