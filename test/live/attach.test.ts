// Other machines over real sshds: namespaces of their own, with keys, accounts and rules of sudo made for the test.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { Machines } from '../support/machines.ts';
import { netnsObstacle } from '../support/netns.ts';
import { Pty, ptyObstacle } from '../support/pty.ts';

const reason = netnsObstacle('ssh', 'sshd', 'ssh-keygen', 'sudo', 'tcpdump') ?? ptyObstacle();
const program = inject('program');

let machines: Machines;
let pty: Pty | null = null;

beforeAll(() => {
  if (reason !== null) return;
  machines = new Machines(
    {
      // One may start the stream as root, one may start nothing, one isn't who it was, and one has no netmon-tui.
      able: { sudo: 'BIN/netmon-tui stream' },
      weak: {},
      other: {},
      bare: { isBare: true, sudo: 'ALL' },
    },
    [process.execPath, program.bin],
  );
  machines.mistake('other');
});
afterAll(() => {
  if (reason === null) machines.remove();
});
beforeEach(({ skip }) => {
  if (reason !== null) skip(`attach: ${reason}`);
});
afterEach(async () => {
  await pty?.end();
  pty = null;
});

function attach(...names: string[]): Pty {
  const { folder, here } = machines;
  const own = { XDG_CONFIG_HOME: folder, XDG_STATE_HOME: folder, XDG_DATA_HOME: folder };
  const bare = { TMUX: undefined, SUDO_UID: undefined, SSH_CONNECTION: undefined, TERM: 'xterm-256color', LANG: 'C.UTF-8' };
  const words = ['ip', 'netns', 'exec', here, process.execPath, program.bin, 'attach', ...names];
  pty = new Pty(words, {
    columns: 240,
    rows: 40,
    env: { ...bare, ...own, PATH: `${folder}/ssh:${process.env['PATH']}` },
  });
  return pty;
}

/** Processes of a machine whose command line has a word, waiting for them. */
async function processes(screen: Pty, machine: string, word: string): Promise<readonly number[]> {
  const find = () => machines.processes(machines.of(machine)).filter(({ command }) => command.includes(word));
  await screen.until(() => find().length > 0, `${word} at ${machine}`);
  return find().map(({ pid }) => pid);
}

/** Waits until nothing runs here and there but the sshds. */
async function untilNothingRuns(...names: string[]): Promise<void> {
  const places = [machines.here, ...names.map((name) => machines.of(name))];
  const left = () => places.flatMap((place) => machines.processes(place));
  await expect.poll(left, { timeout: 10_000 }).toEqual([]);
}

describe('other machines, live', () => {
  it('are shown with their apps, each with what is wrong with it', async () => {
    const screen = attach('able', 'weak', 'other', 'root@10.98.0.1');
    await screen.until(() => screen.text.includes('4 machines, 2 lost'), 'two machines of four');
    await screen.until(() => /weak: no rights to capture there: sudo there asks/.test(screen.text), 'what one lacks');
    expect(screen.text).toContain('nothing takes ssh there');
    expect(screen.text).toContain('other lost: its host key has changed; type: ssh other');
    screen.type('2');
    await screen.until(() => {
      machines.run(machines.of('able'), `ping -qc1 ${machines.address('weak')}`);
      return /ping .*able /.test(screen.text);
    }, 'an app of the machine');
    screen.type('/app:ping machine:able\r');
    await screen.until(
      () => /^ filtered(, complete since [\d:]+)? {2,}total/m.test(screen.text),
      'what the machines count for it',
    );
    screen.type('\x1b');
    await screen.until(() => /^ total/m.test(screen.text), 'the whole again');
    screen.type('0');
    await screen.until(() => /tcp 22 ssh .*sshd/.test(screen.text), 'what listens there');
    screen.type('\x03');
    expect(await screen.status).toBe(0);
    expect(screen.isTaken).toBe(false);
    await untilNothingRuns('able', 'weak', 'other');
  });

  it('are late when nothing comes, lost when ssh dies, and live again after', async () => {
    const screen = attach('able');
    await screen.until(() => /owners by \w+ . able /.test(screen.text), 'the machine');
    const stream = await processes(screen, 'able', ' stream');
    for (const pid of stream) process.kill(pid, 'SIGSTOP');
    await screen.until(() => screen.text.includes('able late: nothing for'), 'a line that is late');
    for (const pid of stream) process.kill(pid, 'SIGCONT');
    await screen.until(() => !/able (late|lost)/.test(screen.text), 'the line to come back');
    for (const { pid, command } of machines.processes(machines.here))
      if (command.startsWith('/usr/bin/ssh ')) process.kill(pid, 'SIGKILL');
    await screen.until(() => screen.text.includes('able lost: the line was cut'), 'a line that is lost');
    await screen.until(() => !/able (late|lost)/.test(screen.text), 'the line to come back');
    screen.signal('SIGHUP');
    expect(await screen.status).toBe(129);
    expect(screen.isTaken).toBe(false);
    await untilNothingRuns('able');
  });

  it('are shown by the packets of their tcpdump, which ends at once', async () => {
    const screen = attach('bare');
    await screen.until(() => {
      machines.run(machines.of('bare'), `ping -qc1 ${machines.address('weak')}`);
      return screen.text.includes('packets of tcpdump, without owners');
    }, 'packets');
    await processes(screen, 'bare', 'tcpdump');
    screen.type('q');
    expect(await screen.status).toBe(0);
    await untilNothingRuns('bare');
  });
});
