// The line to a machine, with a fake ssh: what it says of itself, when it counts as late or lost, and when it is tried again.

import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Line } from '../../../src/attach/line.ts';
import { CAUSES, isHost, lineEnd, type Rights, sshArguments, streamCommand } from '../../../src/attach/ssh.ts';
import { greeting, MESSAGE, matchedPayload } from '../../../src/stream/messages.ts';
import type { Reply } from '../../../src/stream/orders.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeSsh, settle } from '../../support/fake-ssh.ts';
import { busy } from '../../support/snapshot-builder.ts';

describe('a line', () => {
  let clock: FakeClock;
  let started: FakeSsh[];
  let replies: Reply[];
  let line: Line;
  const ssh = (): FakeSsh => started.at(-1) as FakeSsh;
  const pass = (ms: number): void => {
    for (let left = ms; left > 0; left -= 1000) {
      clock.pass(Math.min(left, 1000));
      line.tick();
    }
  };

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    clock = new FakeClock();
    started = [];
    replies = [];
    const start = (rights: Rights) => {
      started.push(new FakeSsh(rights));
      return ssh() as unknown as ChildProcess;
    };
    line = new Line(
      'mac1',
      start,
      clock,
      (reply) => replies.push(reply),
      () => null,
    );
    line.open();
  });

  afterEach(() => {
    line.close();
    vi.useRealTimers();
  });

  test('is live with the first frame, and its rows are of its machine', async () => {
    expect(line.status).toMatchObject({ name: 'mac1', state: 'connecting', note: '' });
    await ssh().greet();
    expect(ssh().orders[0]).toEqual({ type: 'speak', version: 1 });
    expect(line.snapshot()).toBeNull();
    await ssh().frame();
    expect(line.status).toMatchObject({ state: 'live', note: '', program: '1.2.3', isReduced: false });
    const rows = line.snapshot()?.flows ?? [];
    expect(rows).toHaveLength(5);
    for (const row of rows) expect([row.machine, row.id.startsWith('mac1|')]).toEqual(['mac1', true]);
  });

  test('is late after three seconds without a frame, and lost after fifteen', async () => {
    await ssh().greet();
    await ssh().frame();
    pass(3000);
    expect(line.status.state).toBe('live');
    pass(1000);
    expect(line.status).toMatchObject({ state: 'late', note: 'nothing for 4 s' });
    await ssh().frame(1);
    expect(line.status.state).toBe('live');
    pass(16_000);
    expect(line.status).toMatchObject({ state: 'lost', note: 'it has said nothing for 16 s' });
    expect(ssh().killed).toBe('SIGKILL');
    const rows = line.snapshot()?.apps ?? [];
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.every(({ rxRate, means }) => rxRate === 0 && means.every((mean) => mean === 0))).toBe(true);
  });

  test('is tried again, later each time, and as before once it lived', async () => {
    const waits: number[] = [];
    const again = async (): Promise<void> => {
      const before = started.length;
      await ssh().end(255, 'ssh: connect to host mac1 port 22: Connection refused\n');
      expect(line.status).toMatchObject({ state: 'lost', note: 'nothing takes ssh there' });
      let waited = 0;
      while (started.length === before) {
        vi.advanceTimersByTime(500);
        waited += 500;
      }
      waits.push(waited);
    };
    for (let i = 0; i < 7; i++) await again();
    expect(waits).toEqual([1000, 2000, 4000, 8000, 15_000, 30_000, 30_000]);
    await ssh().greet();
    await ssh().frame();
    clock.pass(40_000);
    await again();
    expect(waits.at(-1)).toBe(1000);
  });

  test('does without root where sudo asks for a password, and says so', async () => {
    expect(ssh().rights).toBe('root');
    await ssh().end(1, 'sudo: a password is required\n');
    expect(started.map(({ rights }) => rights)).toEqual(['root', 'own']);
    await ssh().greet();
    const reduced = busy(3, 0);
    const frame = ssh().encoder.frame({ ...reduced, capture: { ...reduced.capture, packets: null } });
    await ssh().say(ssh().writer.message(MESSAGE.FRAME, frame));
    expect(line.status).toMatchObject({ state: 'live', isReduced: true });
    expect(line.status.note).toBe('no rights to capture there: sudo there asks for a password');
    expect(line.status.hint).toBe("ssh -t mac1 'sudo visudo -f /etc/sudoers.d/netmon-tui'");
  });

  test('that lived as root is tried as root again, whatever sudo said meanwhile', async () => {
    await ssh().greet();
    await ssh().frame();
    await ssh().end(255, 'sudo: a password is required\n');
    expect(line.status.state).toBe('lost');
    vi.advanceTimersByTime(1000);
    expect(started.map(({ rights }) => rights)).toEqual(['root', 'root']);
  });

  test('asks for packets where there is no netmon-tui, and for a stream the next time', async () => {
    await ssh().end(127, 'NETMON-MISSING\n');
    expect(started.map(({ rights }) => rights)).toEqual(['root', 'packets']);
    await ssh().greet();
    await ssh().frame();
    expect(line.status).toMatchObject({
      state: 'live',
      note: 'netmon-tui is not installed there: packets of tcpdump, without owners',
      hint: 'netmon-tui attach --install mac1',
    });
    pass(20_000); // nothing passes there
    expect(line.status).toMatchObject({
      state: 'late',
      note: 'netmon-tui is not installed there: no packets of tcpdump for 20 s',
      hint: 'netmon-tui attach --install mac1',
    });
    await ssh().frame(1);
    expect(line.status.state).toBe('live');
    await ssh().end(null);
    expect(line.status.state).toBe('lost');
    vi.advanceTimersByTime(1000);
    expect(ssh().rights).toBe('root');
    await ssh().end(127, 'NETMON-MISSING\n');
    await ssh().end(1, 'sudo: a password is required\n');
    expect(line.status).toMatchObject({ state: 'lost', note: 'netmon-tui is not installed there' });
  });

  test('corrects a clock that is wrong, and says by how much', async () => {
    await ssh().greet();
    await ssh().frame();
    expect(ssh().orders.at(-1)).toEqual({ type: 'echo', id: 1 });
    const before = line.snapshot()?.flows[0]?.firstSeen ?? 0;
    clock.pass(40);
    await ssh().reply({ type: 'echo', id: 1, time: clock.now() - 20 + 3_600_000 });
    expect(line.status.clockAheadMs).toBe(3_600_000);
    expect(line.snapshot()?.flows[0]?.firstSeen).toBe(before - 3_600_000);
    expect(line.snapshot()?.time).toBe(1_700_000_000_000 - 3_600_000);
  });

  test('is lost when it says a time of no century that anybody lives in', async () => {
    await ssh().greet();
    await ssh().frame();
    await ssh().reply({ type: 'echo', id: 1, time: 8.64e15 });
    expect(line.status).toMatchObject({ state: 'lost', clockAheadMs: null });
  });

  test('counts a connection from its first frame on', async () => {
    await ssh().greet();
    expect(line.connection).toBe(0);
    await ssh().frame();
    await ssh().frame();
    expect(line.connection).toBe(1);
    await ssh().end(null);
    vi.advanceTimersByTime(1000);
    await ssh().greet();
    expect([line.connection, line.snapshot() === null]).toEqual([1, false]);
    await ssh().frame();
    expect(line.connection).toBe(2);
  });

  test('asks for tables while they are shown, also after it was lost', async () => {
    await ssh().greet();
    line.want(['listeners']);
    await settle();
    expect(ssh().orders.at(-1)).toEqual({ type: 'want', tables: ['listeners'] });
    await ssh().end(null);
    vi.advanceTimersByTime(1000);
    await ssh().greet();
    await settle();
    expect(ssh().orders).toContainEqual({ type: 'want', tables: ['listeners'] });
  });

  test('is lost for good when nonsense comes', async () => {
    await ssh().say(greeting('1', null), Buffer.from([2, 9, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
    expect(line.status.state).toBe('lost');
    expect(line.status.note).toMatch(/^it sends what no netmon-tui sends: /);
    expect(ssh().killed).toBe('SIGKILL');
  });

  test.each([
    ['short', () => Buffer.alloc(3)],
    ['of no frame', () => matchedPayload({ id: 7, completeSince: 1e300, frame: Buffer.from([1]) })],
  ])('is lost for good when matches come that are none: %s', async (_, payload) => {
    line.match({ id: 7, text: 'curl', average: 10 });
    await ssh().greet();
    await ssh().frame();
    await ssh().say(ssh().writer.message(MESSAGE.MATCHED, payload()));
    expect(line.status.note).toMatch(/^it sends what no netmon-tui sends: /);
    expect(line.matched).toBeNull();
  });

  test('says which side is too old', async () => {
    await ssh().say('NETMON-STREAM {"versions":[2,3],"program":"9.0.0"}\n');
    expect(line.status).toMatchObject({ state: 'lost', hint: 'update netmon-tui here' });
  });

  test('is silent once it is closed', async () => {
    await ssh().greet();
    line.close();
    expect(ssh().killed).toBe('SIGTERM');
    await ssh().end(null);
    vi.advanceTimersByTime(60_000);
    expect(started).toHaveLength(1);
  });
});

test.each([
  [255, 'Host key verification failed.\r\n', 'its host key is not known here', 'ssh ann@mac1'],
  [
    255,
    '@  WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!  @\nHost key verification failed.',
    'its host key has changed',
    'ssh ann@mac1',
  ],
  [255, 'ann@mac1: Permission denied (publickey).', 'it takes no key of yours', 'ssh ann@mac1'],
  [127, 'NETMON-MISSING\n', 'netmon-tui is not installed there', 'netmon-tui attach --install ann@mac1'],
  [
    1,
    'sudo: unable to resolve host mac1: Name or service not known\n\n',
    'sudo: unable to resolve host mac1: Name or service not known',
    '',
  ],
  [3, 'netmon-tui: no permission to capture\n  type: sudo netmon-tui\n', 'no permission to capture', ''],
  [1, 'what \x1b[31mever\n', 'what [31mever', ''],
  [null, '', 'the line was cut', ''],
  [7, '', 'ssh ended with status 7', ''],
])('status %j and %j: %s', (status, stderr, note, hint) =>
  expect(lineEnd('ann@mac1', status, stderr)).toMatchObject({ note, hint }),
);

test('a host is never one of the options of ssh', () => {
  expect(['mac1', 'ann@mac1', '192.0.2.1', 'fd00::1'].map(isHost)).toEqual([true, true, true, true]);
  expect(['-oProxyCommand=x', '', 'a b', 'a\nb', 'x'.repeat(300)].map(isHost)).toEqual([false, false, false, false, false]);
  expect(sshArguments('mac1', 'x').slice(-3)).toEqual(['--', 'mac1', 'x']);
  expect(streamCommand('own')).not.toContain('sudo');
});

test('each cause is in the documentation, with what to type', () => {
  const page = readFileSync(new URL('../../../docs/attach.md', import.meta.url), 'utf8');
  const [, table = ''] = page.split('## What goes wrong');
  const rows = [...table.matchAll(/^\| (?!the header|-)(.+?) \| (.+) \|$/gm)].map(([, says = '', type = '']) => ({ says, type }));
  for (const { note, hint } of CAUSES) {
    const row = rows.find(({ says }) => says.endsWith(note));
    expect(row?.type, note).toContain(hint?.('HOST') ?? '');
  }
  const others = rows.filter(({ says }) => !CAUSES.some(({ note }) => says.endsWith(note)));
  expect(others.map(({ says }) => says)).toEqual([
    'it is the machine that is shown as ...',
    'it has netmon-tui ..., which speaks another version',
  ]);
});
