// What a receipt tells of the scenarios that picosnitch's public benchmark runs (elesiuta/picosnitch, bench/README.md), each as a command under
// `netmon-tui run`: the bytes that it gives to the program that moved them, beside what the interface counted. Its bands are 10 % and 25 %.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { joinNamespaces, makeNamespace, needNamespaces } from '../support/namespace.js';
import { sleep, start } from '../support/program.js';

const FAR = '192.0.2.2';
const ETHERNET = 14;
const PYTHON = {
  raw: `import socket
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 253)
for _ in range(500): s.sendto(b"x" * 1000, ("${FAR}", 0))`,
  small: `import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(20000): s.sendto(b"x" * 40, ("${FAR}", 53))`,
  packet: `import socket, struct
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("bench0", 0))
udp = struct.pack("!HHHH", 4000, 9, 508, 0) + b"x" * 500
ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 528, 1, 0, 64, 17, 0, bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2]))
total = sum(struct.unpack("!10H", ip)); total = (total & 0xffff) + (total >> 16); total += total >> 16
ip = ip[:10] + struct.pack("!H", ~total & 0xffff) + ip[12:]
for _ in range(500): s.send(bytes.fromhex("020000000002020000000001") + b"\\x08\\x00" + ip + udp)`,
  thread: `import socket, threading
def send():
  s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
  for _ in range(500): s.sendto(b"x" * 1000, ("${FAR}", 9))
for each in [threading.Thread(target=send) for _ in range(4)]: each.start()`,
  inherited: `import os, socket, subprocess
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
s.connect(("${FAR}", 5010))
subprocess.run(["sh", "-c", "head -c 3000000 /dev/zero >&%d" % s.fileno()], pass_fds=[s.fileno()])`,
};
const python = (name) => ['python3', '-c', PYTHON[name]];
const iperf = (...words) => ['iperf3', '-c', FAR, ...words];
const shell = (words) => ['bash', '-c', words];

/** By name: the command, and the program that is to have the bytes; null for any of its own. */
const SCENARIOS = {
  'TCP upload': [iperf('-n', '20M'), 'iperf3'],
  'TCP download': [iperf('-R', '-n', '20M'), 'iperf3'],
  UDP: [iperf('-u', '-b', '40M', '-t', '2'), 'iperf3'],
  'ICMP (s05)': [['ping', '-q', '-i', '0.01', '-s', '1000', '-c', '100', FAR], 'ping'],
  'small UDP to port 53 (s09)': [python('small'), 'python'],
  'raw IP (s10)': [python('raw'), 'python'],
  'short-lived processes (s11)': [shell(`for i in {1..200}; do bash -c 'head -c 1000 /dev/zero >/dev/udp/${FAR}/9'; done`), null],
  'packet socket': [python('packet'), 'python'],
  'parallel burst (s20)': [iperf('-P', '16', '-n', '40M'), 'iperf3'],
  threads: [python('thread'), 'python'],
  'inherited socket': [python('inherited'), null],
  'a daemon by a double fork': [
    shell(`(setsid bash -c 'sleep 0.5; head -c 500000 /dev/zero >/dev/tcp/${FAR}/5010' &); sleep 2`),
    null,
  ],
  'setuid, another user': [['setpriv', '--reuid=65534', '--clear-groups', ...iperf('-n', '5M')], 'iperf3'],
  'a namespace of pids and mounts': [['unshare', '-pfm', '--mount-proc', ...iperf('-n', '5M')], 'iperf3'],
};

export const about = "what a receipt of run lacks of the interface's own count, by the right program, in outside scenarios";

/** @param {import('../run.js').Context} context */
export async function run({ root }) {
  needNamespaces();
  const folder = mkdtempSync(join(tmpdir(), 'nmb-scenarios-'));
  const [near, far] = [makeNamespace(), makeNamespace()];
  const device = joinNamespaces(near, far);
  const sink = `require('net').createServer((s) => s.resume()).listen(5010); require('dgram').createSocket('udp4').bind(9); require('dgram').createSocket('udp4').bind(53);`;
  const servers = [start(['iperf3', '-s'], { namespace: far }), start([process.execPath, '-e', sink], { namespace: far })];
  await sleep(1000);
  const counted = () => {
    const { stdout } = spawnSync('ip', ['-n', near, '-s', '-j', 'link', 'show', device], { encoding: 'utf8' });
    const { rx, tx } = JSON.parse(stdout)[0].stats64;
    return rx.bytes + tx.bytes - ETHERNET * (rx.packets + tx.packets);
  };
  const rows = [];
  try {
    for (const [what, [command, program]] of Object.entries(SCENARIOS)) {
      const receipt = join(folder, 'receipt.json');
      const words = [process.execPath, `${root}/bin/netmon-tui.js`, 'run', '--receipt', receipt, '--force', '--', ...command];
      writeFileSync(receipt, '');
      const before = counted();
      await start(words, { namespace: near, stdio: ['ignore', 'ignore', 'pipe'] }).exited;
      const wire = counted() - before;
      const text = readFileSync(receipt, 'utf8');
      if (text === '' || wire === 0) {
        rows.push({ what, value: null, unit: 'lost %', note: 'it could not be run' });
        continue;
      }
      const { destinations, processes, untold } = JSON.parse(text);
      const own = destinations.filter(({ process }) => program === null || processes[process]?.name.startsWith(program));
      const told = own.reduce((sum, { rx_bytes, tx_bytes }) => sum + rx_bytes + tx_bytes, 0);
      const named = [...new Set(destinations.map(({ app }) => app))].join(', ');
      rows.push({
        what,
        value: Math.abs(100 - (100 * told) / wire),
        unit: 'lost %',
        goal: { most: 10 },
        note: `${told} of ${wire} bytes, by ${named}; told as lost: ${untold.lost_packets} packets`,
      });
    }
  } finally {
    for (const server of servers) server.kill();
    rmSync(folder, { recursive: true, force: true });
  }
  return rows;
}
