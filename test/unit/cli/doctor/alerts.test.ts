// What the doctor says about alerts: it delivers nothing, and tells nobody where they would go.

import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { alertSteps, type ProbeMessenger } from '../../../../src/cli/doctor/alerts.ts';
import { answerOf } from '../../../../src/cli/doctor/step.ts';
import { IN_MEMORY } from '../../../../src/messenger/outbox.ts';
import type { DeliveryPlan, NotifyOptions } from '../../../../src/model/delivery.ts';
import { fakeEdges } from '../../../support/fake-edges.ts';
import { ownFolder } from '../../../support/fake-run.ts';

const pacing = { quiet: null, most: 20, perMs: 3_600_000 };
const UID = process.geteuid?.() ?? 0;
const PLAN: DeliveryPlan = { ...pacing, desktop: false, command: [], webhook: null, syslog: false, folder: '/state' };
const READY = { isReady: true, host: null, user: 'ann', note: '', channels: [], isLeft: false, outcomes: new Map() };

/** Lines of the report. */
async function report(
  notify: Partial<NotifyOptions> | null,
  env: NodeJS.ProcessEnv = { TERM: 'xterm-256color' },
  probe: ProbeMessenger = async () => ({ status: { ...READY, note: IN_MEMORY }, uid: UID }),
  deliver = false,
): Promise<Record<string, string>> {
  const whole = notify === null ? null : { terminal: 'notify' as const, pacing, plan: null, ...notify };
  const steps = alertSteps({ notify: whole, deliver, user: null }, fakeEdges({ platform: 'linux' }), env, probe);
  const lines: Record<string, string> = {};
  for (const step of steps) {
    const { result, detail } = await answerOf(step, 10_000);
    lines[step.name] = `${result}: ${detail}`;
  }
  return lines;
}

it('says how the terminal shows alerts', async () => {
  const inTerminal = async (...args: Parameters<typeof report>) => (await report(...args))['in the terminal'];
  expect(await inTerminal({}, { TERM: 'foot' })).toBe('ok: notifies by OSC 777');
  expect(await inTerminal({})).toMatch(/^ok: rings: it is not known/);
  expect(await inTerminal({ terminal: 'osc9' })).toBe('ok: notifies by OSC 9');
  expect(await inTerminal({ terminal: 'bell' })).toBe('ok: rings');
  expect(await inTerminal({ terminal: 'off' })).toBe('ok: not shown');
});

describe('the messenger', () => {
  it('is not started where nothing leaves the program, or the configuration is broken', async () => {
    const never: ProbeMessenger = () => Promise.reject(new Error('started'));
    expect(await report({}, {}, never)).toMatchObject({
      messenger: 'skipped: nothing is to leave the program: [notify] is not set',
    });
    expect(await report(null, {}, never)).toEqual({ messenger: 'skipped: the settings can not be read' });
  });

  it('is started without the outbox: what waits there is not delivered by a check', async () => {
    const folders: (string | null)[] = [];
    const probe: ProbeMessenger = async ({ folder }) => {
      folders.push(folder);
      return { status: READY, uid: UID };
    };
    expect(await report({ plan: { ...PLAN, syslog: true } }, {}, probe)).toMatchObject({
      messenger: 'ok: runs as ann, without any capability',
    });
    expect(folders).toEqual([null]);
  });

  it('may fail', async () => {
    const failing = (status: Partial<typeof READY>) =>
      report({ plan: PLAN }, {}, async () => ({ status: { ...READY, ...status }, uid: UID }));
    expect(await failing({ isReady: false })).toMatchObject({ messenger: 'no: it does not start' });
    expect(await failing({ isReady: false, note: 'root could not be dropped' })).toMatchObject({
      messenger: 'no: root could not be dropped',
    });
    expect(await failing({ note: 'no seccomp filter here' })).toMatchObject({
      messenger: 'no: runs as ann, without any capability; no seccomp filter here',
    });
    expect(await report({ plan: PLAN }, {}, () => Promise.reject(new Error('no such user: ann')))).toMatchObject({
      messenger: 'no: no such user: ann',
    });
  });
});

it('looks at each channel, and names no address', async () => {
  const command = join(ownFolder(), 'tell');
  const webhook = { url: 'https://ntfy.example/secret', format: 'ntfy' as const, token: 'secret', ca: null };
  const plan = { ...PLAN, command: [command], webhook, desktop: true };
  const lines = await report({ plan }, { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent/bus' });
  expect(lines).toMatchObject({
    command: `no: ${command} can't be started (ENOENT)`,
    desktop: 'no: the user has no session bus',
    webhook: 'ok: as ntfy takes it, over TLS; not tried',
  });
  writeFileSync(command, '');
  chmodSync(command, 0o755);
  const better = await report(
    { plan: { ...plan, webhook: { ...webhook, url: 'http://x/' } } },
    { DBUS_SESSION_BUS_ADDRESS: `unix:path=${command}` },
  );
  expect(better).toMatchObject({
    command: 'ok: can be started; not tried',
    desktop: 'ok: there is a session bus; not tried',
    webhook: 'ok: as ntfy takes it, not encrypted; not tried',
  });
  chmodSync(command, 0o777);
  expect((await report({ plan }))['command']).toBe(`no: ${command} can be written by other users`);
  expect(JSON.stringify([lines, better])).not.toMatch(/secret|ntfy\.example/);
});

it('sends a test if that was asked for, and says what became of it', async () => {
  const tests: (string | null)[] = [];
  const base = { waiting: 0, lost: 0, hold: null, next: null };
  const probe: ProbeMessenger = async (_plan, _edges, _user, test) => {
    tests.push(test?.text ?? null);
    const channels = [
      { ...base, channel: 'webhook' as const, delivered: 1, failure: null },
      { ...base, channel: 'syslog' as const, delivered: 0, failure: 'ENOENT' },
      { ...base, channel: 'command' as const, delivered: 0, failure: null },
    ];
    return { status: { ...READY, channels }, uid: UID };
  };
  const webhook = { url: 'http://x/', format: 'json' as const, token: null, ca: null };
  const plan = { ...PLAN, webhook, syslog: true, command: ['/bin/true'], desktop: true };
  expect(await report({ plan }, {}, probe, true)).toMatchObject({
    webhook: 'ok: a test was delivered',
    syslog: 'no: ENOENT',
    command: 'no: a test was not delivered within 11 s',
    desktop: 'no: it is left out here',
  });
  await report({ plan }, {}, probe);
  expect(tests).toEqual(['This is a test: alerts of netmon-tui arrive.', null]);
});
