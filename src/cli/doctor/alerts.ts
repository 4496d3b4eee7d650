// The doctor's steps about alerts: how the terminal shows them, whether the messenger starts and drops its rights, and whether its channels are
// there. It delivers nothing but a test, if that was asked for.

import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { socketOf } from '../../messenger/bus.ts';
import { Messenger } from '../../messenger/client.ts';
import { whyNotStarted } from '../../messenger/hook.ts';
import { IN_MEMORY } from '../../messenger/outbox.ts';
import { logSocket } from '../../messenger/system-log.ts';
import type { Alert } from '../../model/alert.ts';
import type { Channel, DeliveryPlan, MessengerStatus, NotifyOptions, WebhookPlan } from '../../model/delivery.ts';
import { shellWords } from '../../net/quote.ts';
import { systemClock } from '../../system/clock.ts';
import type { Edges } from '../../system/edges.ts';
import { noticeForm } from '../../tui/notice.ts';
import { type Finding, no, ok, type Step, skipped } from './step.ts';

/** How long the messenger may take to start, ms. */
const START_MS = 3000;
/** How long a test may take: a webhook gives up after ten seconds, ms. */
const TEST_MS = 11_000;
const ASK_MS = 20;

/** What is asked of the doctor about alerts. */
export interface AlertsAsked {
  /** null if the configuration can't be read, which another step says. */
  readonly notify: NotifyOptions | null;
  /** Send a test. */
  readonly deliver: boolean;
  /** `--user` */
  readonly user: string | null;
}

/** Starts a messenger, and waits until it is ready and has delivered, or failed to, what it is given. @param test null gives it nothing */
export type ProbeMessenger = (
  plan: DeliveryPlan,
  edges: Edges,
  user: string | null,
  test: Alert | null,
) => Promise<{ readonly status: MessengerStatus; readonly uid: number }>;

/** What happens to alerts beyond the screen. */
export function alertSteps(
  { notify, deliver, user }: AlertsAsked,
  edges: Edges,
  env: NodeJS.ProcessEnv,
  probe: ProbeMessenger = probeMessenger,
): Step[] {
  if (notify === null) return [{ name: 'messenger', ask: () => skipped('the settings can not be read') }];
  const { terminal, plan } = notify;
  const steps: Step[] = [{ name: 'in the terminal', ask: () => inTerminal(terminal, env) }];
  if (plan === null)
    return [...steps, { name: 'messenger', ask: () => skipped('nothing is to leave the program: [notify] is not set') }];
  // Without the outbox: what waits there is not for a check to deliver.
  const started = probe({ ...plan, quiet: null, folder: null }, edges, user, deliver ? testAlert() : null);
  started.catch(() => undefined); // each step says it
  const { desktop, command, webhook, syslog } = plan;
  const looks: readonly (readonly [Channel, (uid: number) => Finding])[] = [
    ...(desktop ? [['desktop', (uid: number) => desktopOf(edges, env, uid)] as const] : []),
    ...(command.length > 0 ? [['command', (uid: number) => commandOf(command, uid)] as const] : []),
    ...(webhook === null ? [] : [['webhook', () => webhookOf(webhook)] as const]),
    ...(syslog ? [['syslog', syslogOf] as const] : []),
  ];
  return [
    ...steps,
    { name: 'messenger', ask: async () => messenger((await started).status) },
    ...looks.map(([channel, look]) => ({
      name: channel,
      ask: async () => {
        const { status, uid } = await started;
        return deliver ? tested(status, channel) : look(uid);
      },
    })),
  ];
}

/** What became of the test. */
function tested({ channels }: MessengerStatus, channel: Channel): Finding {
  const found = channels.find((one) => one.channel === channel);
  if (found === undefined) return no('it is left out here');
  if (found.delivered > 0) return ok('a test was delivered');
  return no(found.failure ?? `a test was not delivered within ${TEST_MS / 1000} s`);
}

function testAlert(): Alert {
  return {
    id: `test-${randomUUID()}`,
    time: systemClock.now(),
    kind: 'threshold',
    severity: 'info',
    app: null,
    exe: null,
    pid: null,
    user: null,
    host: null,
    domain: null,
    text: 'This is a test: alerts of netmon-tui arrive.',
    details: [],
    evidence: null,
    held: null,
  };
}

function inTerminal(terminal: NotifyOptions['terminal'], env: NodeJS.ProcessEnv): Finding {
  if (terminal === 'off') return ok('not shown');
  if (terminal === 'bell') return ok('rings');
  const form = terminal === 'notify' ? noticeForm(env) : terminal;
  if (form === 'bell')
    return ok('rings: it is not known which notifications this terminal shows; terminal = "osc777" would choose one');
  return ok(`notifies by ${form.toUpperCase().replace('OSC', 'OSC ')}`);
}

function messenger({ isReady, user, note: all }: MessengerStatus): Finding {
  const note = all === IN_MEMORY ? '' : all; // as the probe asks for
  if (!isReady) return no(note === '' ? 'it does not start' : note);
  const detail = `runs as ${user}, without any capability`;
  return note === '' ? ok(detail) : no(`${detail}; ${note}`);
}

function desktopOf({ platform }: Edges, env: NodeJS.ProcessEnv, uid: number): Finding {
  if (platform === 'darwin') return ok('by osascript; not tried');
  const own = uid === process.geteuid?.() ? env['DBUS_SESSION_BUS_ADDRESS'] : undefined;
  const path = socketOf(own ?? `unix:path=/run/user/${uid}/bus`);
  if (path === null) return no('the session bus has an address of a kind that is not supported');
  return path.startsWith('\0') || statSync(path, { throwIfNoEntry: false }) !== undefined
    ? ok('there is a session bus; not tried')
    : no('the user has no session bus', 'log in to a desktop, or leave desktop out of [notify]');
}

function commandOf([path = '']: readonly string[], uid: number): Finding {
  const refusal = whyNotStarted(path, uid);
  return refusal === null ? ok('can be started; not tried') : no(refusal, `type: ls -l ${shellWords([path])}`);
}

/** Its host is the user's own business. */
function webhookOf({ url, format }: WebhookPlan): Finding {
  const isPlain = url.startsWith('http:');
  return ok(`as ${format} takes it, ${isPlain ? 'not encrypted' : 'over TLS'}; not tried`);
}

function syslogOf(): Finding {
  const socket = logSocket();
  return socket === null ? no('this machine has neither a journal nor a syslog') : ok(`to ${socket}`);
}

async function probeMessenger(plan: DeliveryPlan, edges: Edges, user: string | null, test: Alert | null) {
  const started = await Messenger.start(plan, null, edges, user);
  await within(START_MS, () => started.status.isReady || started.hasEnded);
  if (test !== null && started.status.isReady) {
    started.deliver(test);
    await within(TEST_MS, () => started.status.channels.every(({ delivered, failure }) => delivered > 0 || failure !== null));
  }
  const { status, uid } = started;
  await started.close();
  return { status, uid };
}

async function within(ms: number, isDone: () => boolean): Promise<void> {
  for (let waited = 0; waited < ms && !isDone(); waited += ASK_MS) await new Promise((resolve) => setTimeout(resolve, ASK_MS));
}
