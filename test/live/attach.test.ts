// Another machine over a real sshd: a namespace of its own, with keys made for the test.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { netnsObstacle, Pair } from '../support/netns.ts';
import { Pty, ptyObstacle } from '../support/pty.ts';

const reason = netnsObstacle('ssh', 'sshd', 'ssh-keygen') ?? ptyObstacle();
const program = inject('program');

let folder: string;
let pair: Pair;
let sshd: ChildProcess;
let pty: Pty | null = null;

beforeAll(() => {
  if (reason !== null) return;
  folder = mkdtempSync(join(tmpdir(), 'netmon-attach-'));
  pair = new Pair();
  for (const key of ['host', 'key']) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, key)]);
  writeFileSync(join(folder, 'authorized'), readFileSync(join(folder, 'key.pub')), { mode: 0o600 });
  for (const name of ['there', 'here']) mkdirSync(join(folder, name));
  const script = (path: string, line: string): void => {
    writeFileSync(path, `#!/bin/sh\nexec ${line}\n`);
    chmodSync(path, 0o755);
  };
  script(join(folder, 'there/netmon-tui'), `${process.execPath} ${program.bin} "$@" -i vb`);
  writeFileSync(
    join(folder, 'sshd_config'),
    [
      ...['Port 22', 'ListenAddress 10.99.0.2', `HostKey ${folder}/host`, `AuthorizedKeysFile ${folder}/authorized`],
      ...['StrictModes no', 'UsePAM no', 'PasswordAuthentication no', 'PermitRootLogin yes', `PidFile ${folder}/pid`],
      `SetEnv PATH=${folder}/there:/usr/bin:/bin`,
    ].join('\n'),
  );
  const host = (name: string, address: string) => [
    `Host ${name}`,
    `HostName ${address}`,
    'User root',
    `IdentityFile ${folder}/key`,
  ];
  const settings = ['StrictHostKeyChecking no', `UserKnownHostsFile ${folder}/known`, 'LogLevel ERROR'];
  writeFileSync(
    join(folder, 'ssh_config'),
    [...host('box', '10.99.0.2'), ...settings, ...host('shut', '10.99.0.1'), ...settings, ''].join('\n'),
  );
  script(join(folder, 'here/ssh'), `/usr/bin/ssh -F ${folder}/ssh_config "$@"`);
  mkdirSync('/run/sshd', { recursive: true });
  const daemon = execFileSync('sh', ['-c', 'command -v sshd'], { encoding: 'utf8' }).trim();
  sshd = spawn('ip', ['netns', 'exec', pair.far, daemon, '-D', '-f', join(folder, 'sshd_config')], { stdio: 'ignore' });
});
afterAll(() => {
  if (reason !== null) return;
  sshd.kill();
  pair.remove();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(({ skip }) => {
  if (reason !== null) skip(`attach: ${reason}`);
});
afterEach(async () => {
  await pty?.end();
  pty = null;
});

function attach(...machines: string[]): Pty {
  const own = { XDG_CONFIG_HOME: folder, XDG_STATE_HOME: folder, XDG_DATA_HOME: folder };
  const bare = { TMUX: undefined, SUDO_UID: undefined, SSH_CONNECTION: undefined, TERM: 'xterm-256color', LANG: 'C.UTF-8' };
  const words = ['ip', 'netns', 'exec', pair.near, process.execPath, program.bin, 'attach', ...machines];
  pty = new Pty(words, {
    columns: 140,
    rows: 40,
    env: { ...bare, ...own, PATH: `${folder}/here:${process.env['PATH']}` },
  });
  return pty;
}

describe('other machines, live', () => {
  it('are shown with their apps, each with what is wrong with it', async () => {
    const screen = attach('box', 'shut');
    await screen.until(() => screen.text.includes('2 machines, 1 lost'), 'one machine of two');
    expect(screen.text).toContain('shut lost: nothing takes ssh there');
    screen.type('2');
    await screen.until(() => {
      pair.datagrams(pair.far, '10.99.0.1', 5);
      return /node .*box /.test(screen.text);
    }, 'an app of the machine');
    screen.type('0');
    await screen.until(() => /tcp 22 ssh .*sshd/.test(screen.text), 'what listens there');
  });

  it('are late when nothing comes, and live again after', async () => {
    const screen = attach('box');
    await screen.until(() => /owners by \w+ . box /.test(screen.text), 'the machine');
    pair.run(pair.far, 'ip link set vb down');
    await screen.until(() => screen.text.includes('box late: nothing for'), 'a line that is late');
    pair.run(pair.far, 'ip link set vb up');
    pair.introduce();
    await screen.until(() => !/box (late|lost)/.test(screen.text), 'the line to come back');
    screen.type('q');
    expect(await screen.status).toBe(0);
  });
});
