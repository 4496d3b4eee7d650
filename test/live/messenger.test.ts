// The messenger as it runs: what it may do, what it delivers to real programs, and what is left of it when the program is killed.

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { Marshaller } from '../../src/messenger/bus.ts';
import { systemDatagrams } from '../../src/messenger/datagram.ts';
import { desktopDelivery } from '../../src/messenger/desktop.ts';
import { messageOf } from '../../src/messenger/message.ts';
import type { DeliveryPlan } from '../../src/model/delivery.ts';
import { alertJson } from '../support/alerts.ts';
import { netnsObstacle, Pair } from '../support/netns.ts';
import { Pty, type PtyOptions, ptyObstacle } from '../support/pty.ts';

const reason = netnsObstacle('curl', 'setpriv');
const program = inject('program');
const UID = 4242;
const KILLS = Number(process.env['NETMON_KILLS'] ?? 30);
/** Prints what it is posted, a line each. */
const RECEIVER = `require('node:http').createServer((request, response) => {
  let text = '';
  request.on('data', (chunk) => (text += chunk)).on('end', () => { console.log(text); response.end(); });
}).listen(9000, '127.0.0.1', () => console.log('ready'));`;

/** A folder that belongs to a user. */
function folderOf(uid: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'netmon-messenger-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o755);
  chownSync(folder, uid, uid);
  return folder;
}

/** A file that belongs to a user. */
function fileOf(uid: number, path: string, text: string, mode: number): string {
  writeFileSync(path, text);
  chmodSync(path, mode);
  chownSync(path, uid, uid);
  return path;
}

describe('the messenger of a recorder', () => {
  it('is the user, has no rights and no packets, and starts what the user asked for', async ({ skip }) => {
    if (reason !== null) skip(`messenger: ${reason}`);
    const folder = folderOf(UID);
    const state = join(folder, 'state');
    mkdirSync(state);
    chownSync(state, UID, UID);
    const out = join(folder, 'out');
    // It tries what no program of the user's may do here.
    const hook = fileOf(
      UID,
      join(folder, 'hook'),
      `#!/bin/sh\n{ cat; grep -E '^(Uid|Gid|Groups|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp):' /proc/self/status; ls -l /proc/self/fd | sed 's/.*-> //';
unshare -n true && echo 'made a namespace'; (echo x > /dev/tty) && echo 'reached the terminal'; } > ${out}.part 2>/dev/null; mv ${out}.part ${out}\n`,
      0o755,
    );
    const config = fileOf(
      UID,
      join(folder, 'config.toml'),
      `[notify]\ncommand = ["${hook}"]\nwebhook = "http://127.0.0.1:9000/x"\n[[alert]]\nname = "talks"\nwhen = "app:curl"\nover = "1 KB"\nper = "hour"\n`,
      0o600,
    );
    const pair = new Pair();
    onTestFinished(() => pair.remove());
    const server = pair.start(pair.far, process.execPath, ['-e', RECEIVER.replace('127.0.0.1', '10.99.0.2')]);
    const receiver = pair.start(pair.near, process.execPath, ['-e', RECEIVER]);
    const posted = linesOf(receiver);
    await Promise.all([until(() => posted.length > 0), new Promise((resolve) => server.stdout.once('data', resolve))]);

    const sudo = [`SUDO_UID=${UID}`, `SUDO_GID=${UID}`, 'SUDO_USER=nmt-none', `XDG_STATE_HOME=${state}`];
    const words = ['record', '-i', 'va', '--interval', '200ms', '--config', config, `--history=${join(folder, 'h.sqlite')}`];
    const run = pair.start(pair.near, 'env', [...sudo, process.execPath, program.bin, ...words]);
    const said = linesOf(run, 'stderr');
    await until(
      () => said.length > 0,
      () => said.join('\n'),
    );
    // The first may come before sockets have owners.
    const talk = ['netns', 'exec', pair.near, 'curl', '-s', '-d', 'x'.repeat(5000), '-o', '/dev/null', 'http://10.99.0.2:9000/'];
    const talking = setInterval(() => spawn('ip', talk, { stdio: 'ignore' }), 500);
    onTestFinished(() => clearInterval(talking));
    await until(
      () => statSync(out, { throwIfNoEntry: false }) !== undefined && posted.length > 1,
      () => said.join('\n'),
    );
    clearInterval(talking);

    const [json = '', ...facts] = readFileSync(out, 'utf8').trimEnd().split('\n');
    expect(JSON.parse(json)).toMatchObject({ type: 'alert', kind: 'threshold', severity: 'warning', held: null });
    expect(JSON.parse(posted[1] ?? '')).toEqual(JSON.parse(json));
    const field = (name: string) =>
      facts
        .find((line) => line.startsWith(`${name}:`))
        ?.split(/\s+/)
        .slice(1)
        .join(' ')
        .trim();
    expect(field('Uid')).toBe(`${UID} ${UID} ${UID} ${UID}`);
    expect(field('Groups')).toBe(String(UID));
    for (const set of ['CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) expect([set, field(set)]).toEqual([set, '0000000000000000']);
    expect(field('NoNewPrivs')).toBe('1');
    expect(field('Seccomp')).toBe('2');
    expect(facts.join('\n')).not.toMatch(/made a namespace|reached the terminal|outbox|bpf|sqlite/);

    const messenger = childOf(run.pid as number);
    const descriptors = readdirSync(`/proc/${messenger}/fd`).map((number) => linkOf(`/proc/${messenger}/fd/${number}`));
    expect(descriptors.filter((to) => /bpf|sqlite/.test(to))).toEqual([]);
    const packetSockets = readFileSync(`/proc/${run.pid}/net/packet`, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/).at(-1));
    expect(packetSockets.filter(Boolean)).not.toEqual([]);
    expect(descriptors.filter((to) => packetSockets.some((inode) => inode && to === `socket:[${inode}]`))).toEqual([]);
    expect(statSync(join(state, 'netmon-tui', 'outbox-1.jsonl'))).toMatchObject({ uid: UID, mode: 0o100600 });

    const ended = new Promise((resolve) => run.once('close', resolve));
    process.kill(run.pid as number, 'SIGINT');
    await ended;
    await until(() => !isAlive(messenger));
    expect(readdirSync(join(state, 'netmon-tui'))).toEqual([]);
  });

  it('has none either where a service manager gives rights to every thread', async ({ skip }) => {
    if (reason !== null) skip(`messenger: ${reason}`);
    const folder = folderOf(UID);
    const config = fileOf(UID, join(folder, 'config.toml'), '[notify]\nwebhook = "http://127.0.0.1:9000/x"\n', 0o600);
    const pair = new Pair();
    onTestFinished(() => pair.remove());
    const rights = '+net_raw,+net_admin,+sys_ptrace,+dac_read_search';
    const ids = ['--reuid', `${UID}`, '--regid', `${UID}`, '--clear-groups', '--inh-caps', rights, '--ambient-caps', rights];
    const words = [program.bin, 'record', '-i', 'va', '--config', config, `--history=${join(folder, 'h.sqlite')}`];
    const run = pair.start(pair.near, 'setpriv', [...ids, process.execPath, ...words]);
    const said = linesOf(run, 'stderr');
    await until(() => said.length > 0);
    const messenger = childOf(run.pid as number);
    const sets = () =>
      readdirSync(`/proc/${messenger}/task`).flatMap((thread) =>
        [
          ...readFileSync(`/proc/${messenger}/task/${thread}/status`, 'latin1').matchAll(/^Cap(?:Inh|Prm|Eff|Amb):\s*(\w+)$/gm),
        ].map(([, bits]) => bits),
      );
    const isFiltered = () => /^Seccomp:\s*2$/m.test(readFileSync(`/proc/${messenger}/status`, 'latin1'));
    await until(isFiltered, () => said.join('\n')); // its last step
    expect(new Set(sets())).toEqual(new Set(['0000000000000000']));
    expect(readFileSync(`/proc/${run.pid}/status`, 'latin1')).toMatch(/^CapPrm:\s*0*2000$/m);
    const ended = new Promise((resolve) => run.once('close', resolve));
    process.kill(run.pid as number, 'SIGINT');
    await ended;
  });

  /** The only child of a process. */
  function childOf(pid: number): number {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim());
  }
});

it(`${KILLS} runs are killed with alerts on their way: each that was handed over arrives once`, async () => {
  const folder = folderOf(process.geteuid?.() ?? 0);
  const arrived: string[] = [];
  let isDown = false;
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk));
    request.on('end', () => {
      if (isDown) return void response.writeHead(503).end();
      const message = JSON.parse(text) as { id?: string; alerts?: { id: string }[] };
      arrived.push(...(message.alerts?.map(({ id }) => id) ?? [message.id ?? '']));
      setTimeout(() => response.end(), 5);
    });
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await until(() => server.listening);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const plan: DeliveryPlan = {
    desktop: false,
    command: [],
    webhook: { url, format: 'json', token: null, ca: null },
    syslog: false,
    folder,
    quiet: null,
    most: 1_000_000,
    perMs: 1000,
  };
  const handed: string[] = [];
  const start = (prefix: string, pause: number): { child: ChildProcess; lines: string[] } => {
    const script = join(import.meta.dirname, '../support/messenger-run.js');
    const env = { PATH: '/usr/bin:/bin', ...(process.geteuid?.() === 0 ? { SUDO_UID: String(UID), SUDO_GID: String(UID) } : {}) };
    const child = spawn(process.execPath, [script, program.modules, JSON.stringify(plan), prefix, String(pause)], { env });
    return { child, lines: linesOf(child) };
  };
  if (process.geteuid?.() === 0) chownSync(folder, UID, UID);

  const random = (most: number) => Math.floor(Math.random() * most);
  for (let kill = 0; kill < KILLS; kill++) {
    isDown = kill % 10 === 9; // what is undelivered then, the next run delivers
    const { child, lines } = start(`k${kill}`, 5 + random(40));
    await until(() => lines.length > 0);
    await new Promise((resolve) => setTimeout(resolve, random(120)));
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await ended;
    handed.push(...lines);
  }
  isDown = false;
  // What the last ones left behind is delivered by one that stays.
  const { child, lines } = start('last', 1_000_000);
  await until(() => lines.length > 0);
  handed.push(...lines);
  const missing = () => handed.filter((id) => !arrived.includes(id));
  await until(
    () => missing().length === 0 && readdirSync(folder).length <= 1,
    () => `missing: ${missing().join(' ')}`,
  );
  child.kill('SIGKILL');
  await until(() => readdirSync(folder).length === 0);
  expect(handed.length).toBeGreaterThan(KILLS);
  expect(new Set(arrived).size).toBe(arrived.length);
  // A run may be killed before it says that it handed one over.
  expect(arrived.length - handed.length).toBeLessThanOrEqual(KILLS);
}, 300_000);

describe('a session bus', () => {
  it('shows what its notification service is told', async ({ skip }) => {
    const obstacle = busObstacle();
    if (obstacle !== null) skip(`messenger: ${obstacle}`);
    const folder = folderOf(process.geteuid?.() ?? 0);
    const path = join(folder, 'bus');
    const config = join(folder, 'bus.conf');
    writeFileSync(
      config,
      `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path=${path}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow send_destination="*"/><allow own="*"/><allow receive_sender="*"/></policy></busconfig>`,
    );
    const daemon = spawn('dbus-daemon', [`--config-file=${config}`, '--nofork', '--nopidfile'], { stdio: 'ignore' });
    onTestFinished(() => void daemon.kill('SIGKILL'));
    await until(() => statSync(path, { throwIfNoEntry: false }) !== undefined);
    const desktop = desktopDelivery('linux', `unix:path=${path},guid=0`);
    const message = messageOf([alertJson({ severity: 'critical', text: 'x <b>reached</b> a&b.' })]);
    expect(await desktop.send(message)).toMatchObject({
      isDelivered: false,
      reason: 'org.freedesktop.DBus.Error.ServiceUnknown',
    });
    const shown = await notificationService(path);
    expect(await desktop.send(message)).toEqual({ isDelivered: true, refused: null });
    expect(await desktop.send(messageOf([alertJson()]))).toEqual({ isDelivered: true, refused: null });
    expect(shown).toEqual([
      ['netmon-tui', 'network-wired', 'netmon-tui: critical', 'x &lt;b&gt;reached&lt;/b&gt; a&amp;b.', 'urgency 2'],
      ['netmon-tui', 'network-wired', 'netmon-tui', 'curl reached example.com for the first time.', 'urgency 0'],
    ]);
  });

  function busObstacle(): string | null {
    try {
      execFileSync('dbus-daemon', ['--version'], { stdio: 'ignore' });
      return null;
    } catch {
      return 'needs the program dbus-daemon';
    }
  }
});

it('a log socket gets datagrams whole', async ({ skip }) => {
  if (process.platform !== 'linux') skip('messenger: needs Linux');
  const path = join(folderOf(process.geteuid?.() ?? 0), 'log');
  const reader = spawn('python3', [
    '-c',
    `import socket\ns = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\ns.bind(${JSON.stringify(path)})\nfor i in range(2): print(len(s.recv(100000)), flush=True)`,
  ]);
  onTestFinished(() => void reader.kill('SIGKILL'));
  const lines = linesOf(reader);
  const send = systemDatagrams();
  expect(send(join(path, 'none'), Buffer.from('x'))).toBe('ENOENT');
  expect(send('x'.repeat(200), Buffer.from('x'))).toBe('ENAMETOOLONG');
  await until(() => statSync(path, { throwIfNoEntry: false }) !== undefined);
  expect(send(path, Buffer.from('12345'))).toBeNull();
  expect(send(path, Buffer.alloc(30_000))).toBeNull();
  await until(() => lines.length === 2);
  expect(lines).toEqual(['5', '30000']);
});

describe('a terminal', () => {
  const config = '[notify]\nterminal = "notify"\n[[alert]]\nname = "talks"\nwhen = "app:curl"\nover = "1 KB"\nper = "hour"\n';

  /** The screen in a namespace, and what reaches the terminal once curl has talked. */
  async function notified(env: PtyOptions['env'], around: (command: string) => readonly string[]): Promise<Pty> {
    const folder = folderOf(0);
    const pair = new Pair();
    onTestFinished(() => pair.remove());
    const server = pair.start(pair.far, process.execPath, ['-e', RECEIVER.replace('127.0.0.1', '10.99.0.2')]);
    await new Promise((resolve) => server.stdout.once('data', resolve));
    const path = fileOf(0, join(folder, 'config.toml'), config, 0o600);
    const words = ['ip', 'netns', 'exec', pair.near, process.execPath, program.bin, '-i', 'va', '--stay-root', '--config', path];
    const own = { TMUX: undefined, STY: undefined, XDG_STATE_HOME: folder, XDG_DATA_HOME: folder, LANG: 'C.UTF-8' };
    const pty = new Pty(around(words.join(' ')), { columns: 100, rows: 30, env: { ...own, ...env } });
    onTestFinished(async () => void (await pty.end()));
    await pty.until(() => pty.text.includes('owners by'), 'the screen');
    // The first may come before sockets have owners.
    const talk = ['netns', 'exec', pair.near, 'curl', '-s', '-d', 'x'.repeat(5000), '-o', '/dev/null', 'http://10.99.0.2:9000/'];
    const talking = setInterval(() => spawn('ip', talk, { stdio: 'ignore' }), 500);
    try {
      await pty.until(() => pty.log.includes(';netmon-tui'), 'a notification');
    } finally {
      clearInterval(talking);
    }
    return pty;
  }

  it('shows an alert as a notification, and draws nothing of it', async ({ skip }) => {
    const obstacle = reason ?? ptyObstacle();
    if (obstacle !== null) skip(`messenger: ${obstacle}`);
    const pty = await notified({ TERM: 'foot' }, (command) => command.split(' '));
    expect(pty.log).toMatch(/\x1b\]777;notify;netmon-tui: warning;talks: [^\x1b]* moved this hour[^\x1b]*\x1b\\/);
    expect(pty.text).not.toContain('notify');
  });

  it('gets it through tmux, too', async ({ skip }) => {
    const obstacle = reason ?? ptyObstacle() ?? tmuxObstacle();
    if (obstacle !== null) skip(`messenger: ${obstacle}`);
    const name = `netmon-notice-${process.pid}`;
    const conf = fileOf(
      0,
      join(folderOf(0), 'tmux.conf'),
      'set -g allow-passthrough on\nset -g default-terminal tmux-256color\n',
      0o600,
    );
    onTestFinished(() => void spawnSync('tmux', ['-L', name, 'kill-server']));
    const env = { TERM: 'xterm-256color', LC_TERMINAL: 'iTerm2' };
    const pty = await notified(env, (command) => ['tmux', '-L', name, '-f', conf, 'new-session', command]);
    expect(pty.log).toMatch(/\x1b\]9;netmon-tui: warning: talks: [^\x1b]* moved this hour[^\x1b]*(?:\x1b\\|\x07)/);
    expect(pty.text).not.toContain(']9;');
  });

  /** Versions before 3.3 hand on nothing, or everything. */
  function tmuxObstacle(): string | null {
    const version = Number(
      /^tmux (?:next-)?(\d+\.\d+)/.exec(spawnSync('tmux', ['-V'], { encoding: 'utf8' }).stdout ?? '')?.[1] ?? 0,
    );
    return version >= 3.3 ? null : 'needs tmux 3.3 or newer';
  }
});

/** Lines of a child's output, as they come. */
function linesOf(child: ChildProcess, name: 'stdout' | 'stderr' = 'stdout'): string[] {
  const lines: string[] = [];
  let rest = '';
  child[name]?.on('data', (chunk: Buffer) => {
    const parts = `${rest}${chunk}`.split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
  });
  return lines;
}

async function until(isDone: () => boolean, why: () => string = () => ''): Promise<void> {
  for (let i = 0; i < 1500; i++) {
    if (isDone()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`it did not happen; ${why()}`);
}

function isAlive(pid: number): boolean {
  return statSync(`/proc/${pid}`, { throwIfNoEntry: false }) !== undefined;
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

/** A notification daemon on a bus: it notes what it is told, and answers. @returns what it was told, as it comes */
async function notificationService(path: string): Promise<string[][]> {
  const shown: string[][] = [];
  const socket: Socket = connect(path);
  onTestFinished(() => void socket.destroy());
  let isOwner = false;
  let rest: Buffer = Buffer.alloc(0);
  let isKnown = false;
  let serial = 0;
  const send = (type: number, fields: [number, string, string | number][], signature: string, body: Buffer) => {
    const header = new Marshaller().byte(0x6c).byte(type).byte(0).byte(1).uint32(body.length).uint32(++serial);
    const all: [number, string, string | number][] = signature === '' ? fields : [...fields, [8, 'g', signature]];
    header.array(8, () => {
      for (const [field, kind, value] of all) {
        header.align(8).byte(field).signature(kind);
        if (kind === 'u') header.uint32(value as number);
        else if (kind === 'g') header.signature(value as string);
        else header.string(value as string);
      }
    });
    socket.write(Buffer.concat([header.align(8).done(), body]));
  };
  const bus = (member: string, signature = '', body: Buffer = Buffer.alloc(0)) =>
    send(
      1,
      [
        [1, 'o', '/org/freedesktop/DBus'],
        [2, 's', 'org.freedesktop.DBus'],
        [3, 's', member],
        [6, 's', 'org.freedesktop.DBus'],
      ],
      signature,
      body,
    );
  socket.write(`\0AUTH EXTERNAL ${Buffer.from(String(process.geteuid?.())).toString('hex')}\r\n`);
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    if (!isKnown) {
      const end = rest.indexOf('\r\n');
      if (end < 0) return;
      isKnown = true;
      rest = rest.subarray(end + 2);
      socket.write('BEGIN\r\n');
      bus('Hello');
      bus('RequestName', 'su', new Marshaller().string('org.freedesktop.Notifications').uint32(0).done());
    }
    while (rest.length >= 16) {
      const start = 16 + Math.ceil(rest.readUInt32LE(12) / 8) * 8;
      const length = start + rest.readUInt32LE(4);
      if (rest.length < length) return;
      const [type, itsSerial, header, body] = [
        rest[1],
        rest.readUInt32LE(8),
        rest.subarray(16, start),
        rest.subarray(start, length),
      ];
      rest = rest.subarray(length);
      if (type === 2 && body.length === 4 && body.readUInt32LE(0) === 1) isOwner = true;
      if (type !== 1 || !header.includes('Notify')) continue;
      const sender = /:\d+\.\d+/.exec(header.toString('latin1'))?.[0] ?? '';
      shown.push(notified(body));
      send(
        2,
        [
          [5, 'u', itsSerial],
          [6, 's', sender],
        ],
        'u',
        new Marshaller().uint32(1).done(),
      );
    }
  });
  await until(() => isOwner);
  return shown;
}

/** Arguments of Notify: susssasa{sv}i, of which the hints hold one byte. */
function notified(body: Buffer): string[] {
  let at = 0;
  const align = (to: number) => (at = Math.ceil(at / to) * to);
  const uint = () => {
    align(4);
    at += 4;
    return body.readUInt32LE(at - 4);
  };
  const text = () => {
    const length = uint();
    at += length + 1;
    return body.toString('utf8', at - length - 1, at - 1);
  };
  const name = text();
  uint();
  const words = [name, text(), text(), text()];
  uint(); // no actions
  uint();
  align(8);
  const hint = text();
  at += 1 + (body[at] as number) + 1; // its signature
  words.push(`${hint} ${body[at]}`);
  return words;
}
