// A process that makes a known traffic and tells how many bytes of it went over the wire.
// usage: EXE agent.js KIND JSON      EXE is node under a name of its own
// Prints {"ready": ...}, waits for a line on standard input, works, prints {"done": {"tx", "rx"}}, and waits until standard input ends.

import { spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import * as datagrams from './datagrams.js';
import * as descriptors from './descriptors.js';
import * as kernel from './kernel.js';
import * as streams from './streams.js';

const KINDS = {
  'udp-send': datagrams.udpSend,
  'udp-receive': datagrams.udpReceive,
  echo: datagrams.echo,
  'raw-send': datagrams.rawSend,
  'frame-send': datagrams.frameSend,
  'tcp-send': streams.tcpSend,
  'tcp-receive': streams.tcpReceive,
  'hand-over': handOver,
  'run-many': runMany,
  http: serve,
};
const [kind, json] = process.argv.slice(2);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

const tell = (word) => process.stdout.write(`${JSON.stringify(word)}\n`);
const go = async (ready) => {
  tell({ ready: { pid: process.pid, ...ready } });
  if ((await lines.next()).done) process.exit(0);
};
const how = JSON.parse(json);
if (how.passed) how.fd = descriptors.receiveDescriptor(how.fd);
const done = await KINDS[kind](how, go);
tell({ done });
await lines.next();
process.exit(0);

/**
 * Opens a socket and hands it to children, which use it; connects it once they are there, but never sends or receives by it, itself. They
 * inherit it, or it is opened when they are there and passed to them over a unix socket.
 *
 * @param {{children: {exe: string, kind: string, how: object}[], listen?: object, connect?: {to: string, port: number},
 *   udp?: {to: string, port: number, connected?: boolean}, leaves?: boolean, passes?: boolean}} how  leaves: it lets go of the socket then
 */
async function handOver(how, ready) {
  const inherited = how.passes ? null : openShared(how);
  const script = process.argv[1];
  const children = how.children.map(({ exe, kind: work, how: words }) => {
    const [ours, theirs] = how.passes ? descriptors.socketPair() : [null, inherited];
    const json = JSON.stringify({ ...words, fd: 3, passed: how.passes });
    const child = spawn(exe, [script, work, json], { stdio: ['pipe', 'pipe', 'inherit', theirs] });
    return { child, over: ours, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
  });
  const fd = inherited ?? openShared(how);
  for (const { over } of children) if (over !== null) descriptors.passDescriptor(over, fd);
  const pids = [];
  for (const each of children) pids.push(JSON.parse((await each.lines.next()).value).ready.pid);
  await ready({ port: kernel.localPort(fd), pids });
  const to = how.connect ?? (how.udp?.connected ? how.udp : undefined);
  if (to !== undefined) kernel.connect(fd, to.to, to.port);
  if (how.leaves) kernel.close(fd);
  for (const { child } of children) child.stdin.write('go\n');
  const results = [];
  for (const each of children) results.push(JSON.parse((await each.lines.next()).value).done);
  for (const { child } of children) child.stdin.end();
  return { tx: 0, rx: 0, children: results };
}

function openShared({ listen, connect, udp }) {
  if (listen !== undefined) return streams.listenOn(listen);
  if (connect !== undefined) return kernel.socket(kernel.familyOf(connect.to), kernel.SOCK.STREAM);
  return kernel.socket(kernel.familyOf(udp.to), kernel.SOCK.DGRAM);
}

/** Runs a program many times, one after the other. @param {{command: string[], count: number}} how */
async function runMany({ command, count }, ready) {
  await ready({});
  let succeeded = 0;
  for (let i = 0; i < count; i++) if (spawnSync(command[0], command.slice(1), { stdio: 'ignore' }).status === 0) succeeded++;
  return { tx: 0, rx: 0, messages: succeeded };
}

/** Answers HTTP until standard input ends. @param {{on: string}} how */
async function serve({ on }, ready) {
  const server = createServer((_, response) => response.end('ok'));
  await new Promise((resolve) => server.listen(0, on, resolve));
  await ready({ port: server.address().port });
  return { tx: 0, rx: 0 };
}
