// Notifications on the user's desktop: org.freedesktop.Notifications on Linux, osascript on macOS.

import type { Severity } from '../model/alert.ts';
import { callBus, Marshaller, socketOf } from './bus.ts';
import { DELIVERED, type Delivery, failed, type Outcome } from './delivery.ts';
import { runAsUser } from './hook.ts';
import type { Message } from './message.ts';

/** What happened long ago needs no notification. */
const PATIENCE_MS = 10 * 60_000;
const OSASCRIPT = '/usr/bin/osascript';
const OSASCRIPT_MS = 10_000;
/** Outside text is an argument of the script, never a part of it. Options end at the first argument, which is our own. */
const SCRIPT = ['on run argv', 'display notification (item 2 of argv) with title (item 1 of argv)', 'end run'] as const;
const NAME = 'org.freedesktop.Notifications';
/** Hint `urgency` (Desktop Notifications Specification, "Urgency Levels"). */
const URGENCY: Readonly<Record<Severity, number>> = { info: 0, warning: 1, critical: 2 };

/** The desktop of this platform. @param bus address of the session bus; null if the user has none */
export function desktopDelivery(platform: NodeJS.Platform, bus: string | null): Delivery {
  const send = platform === 'darwin' ? throughScript : (message: Message) => throughBus(bus, message);
  return { channel: 'desktop', isLog: false, patienceMs: PATIENCE_MS, send };
}

async function throughScript({ title, text }: Message): Promise<Outcome> {
  const args = [...SCRIPT.flatMap((line) => ['-e', line]), title, text];
  const ended = await runAsUser({ path: OSASCRIPT, args, input: '', longestMs: OSASCRIPT_MS });
  if (ended === 0) return DELIVERED;
  return failed(typeof ended === 'number' ? `osascript ended with status ${ended}` : `osascript ${ended.reason}`, true);
}

async function throughBus(bus: string | null, { title, text, severity }: Message): Promise<Outcome> {
  const socket = socketOf(bus ?? '');
  if (socket === null) return failed('the user has no session bus', true);
  const failure = await callBus(socket, process.geteuid?.() ?? 0, {
    destination: NAME,
    path: '/org/freedesktop/Notifications',
    interface: NAME,
    member: 'Notify',
    signature: 'susssasa{sv}i',
    body: notification(title, text, severity),
  });
  return failure === null ? DELIVERED : failed(failure, true);
}

/** Arguments of Notify: name, id to replace, icon, summary, body, actions, hints, time on the screen. */
function notification(title: string, text: string, severity: Severity): Buffer {
  const body = new Marshaller();
  body.string('netmon-tui').uint32(0).string('network-wired').string(title).string(escaped(text));
  body.array(4, () => undefined);
  body.array(8, () => {
    body.align(8).string('urgency').signature('y').byte(URGENCY[severity]);
  });
  return body.uint32(0xffff_ffff).done(); // -1: as long as the desktop likes
}

/** A body may have markup; a name from outside must not. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
