// The doctor's steps about alerts: how the terminal shows them, whether the messenger starts and drops its rights, and whether its channels are
// there. It delivers nothing.

import { statSync } from 'node:fs';
import { socketOf } from '../../messenger/bus.ts';
import { Messenger } from '../../messenger/client.ts';
import { whyNotStarted } from '../../messenger/hook.ts';
import { IN_MEMORY } from '../../messenger/outbox.ts';
import { logSocket } from '../../messenger/system-log.ts';
import type { DeliveryPlan, MessengerStatus, NotifyOptions, WebhookPlan } from '../../model/delivery.ts';
import type { Edges } from '../../system/edges.ts';
import { noticeForm } from '../../tui/notice.ts';
import { type Finding, no, ok, type Step, skipped } from './step.ts';

/** How long the messenger may take to start, ms. */
const START_MS = 5000;
const ASK_MS = 20;

/** Starts a messenger that has nothing to deliver, and waits until it is ready. */
export type ProbeMessenger = (
  plan: DeliveryPlan,
  edges: Edges,
  user: string | null,
) => Promise<{ status: MessengerStatus; uid: number }>;

/** @param notify null if the configuration can't be read, which another step says */
export function alertSteps(
  notify: NotifyOptions | null,
  edges: Edges,
  env: NodeJS.ProcessEnv,
  user: string | null,
  probe: ProbeMessenger = probeMessenger,
): Step[] {
  if (notify === null) return [{ name: 'messenger', ask: () => skipped('the settings can not be read') }];
  const { terminal, plan } = notify;
  const steps: Step[] = [{ name: 'in the terminal', ask: () => inTerminal(terminal, env) }];
  if (plan === null)
    return [...steps, { name: 'messenger', ask: () => skipped('nothing is to leave the program: [notify] is not set') }];
  const started = new Promise<Awaited<ReturnType<ProbeMessenger>>>((resolve, reject) => {
    probe({ ...plan, folder: null }, edges, user).then(resolve, reject);
  });
  started.catch(() => undefined); // each step says it
  steps.push({ name: 'messenger', ask: async () => messenger((await started).status) });
  const { desktop, command, webhook, syslog } = plan;
  if (desktop) steps.push({ name: 'desktop', ask: async () => desktopOf(edges, env, (await started).uid) });
  if (command.length > 0) steps.push({ name: 'command', ask: async () => commandOf(command, (await started).uid) });
  if (webhook !== null) steps.push({ name: 'webhook', ask: () => webhookOf(webhook) });
  if (syslog) steps.push({ name: 'syslog', ask: syslogOf });
  return steps;
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
  return refusal === null ? ok('can be started; not tried') : no(refusal, `type: ls -l ${path}`);
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

async function probeMessenger(plan: DeliveryPlan, edges: Edges, user: string | null) {
  const started = await Messenger.start(plan, edges, user);
  for (let waited = 0; waited < START_MS && !started.status.isReady && !started.hasEnded; waited += ASK_MS)
    await new Promise((resolve) => setTimeout(resolve, ASK_MS));
  const { status, uid } = started;
  await started.close();
  return { status, uid };
}
