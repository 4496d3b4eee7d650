// Entry point of the messenger: drops its rights, then takes alerts on standard input and acknowledges them on standard output. It sees no packet.
// When the program is gone, it finishes what it is sending and ends; the rest stays in the outbox.

import type { Channel } from '../model/delivery.ts';
import { reasonOf } from '../model/errors.ts';
import { confirmDropped, credentialsOf, dropPrivileges, libcCalls } from '../privilege/drop.ts';
import { hardenStart } from '../privilege/harden.ts';
import { holdsCapabilities, startOverWithoutCapabilities } from '../privilege/start-over.ts';
import { systemClock } from '../system/clock.ts';
import { systemFlock } from '../system/file-lock.ts';
import { systemDatagrams } from './datagram.ts';
import type { Delivery } from './delivery.ts';
import { desktopDelivery } from './desktop.ts';
import { Dispatcher, LAST_MS } from './dispatcher.ts';
import { HookDelivery } from './hook.ts';
import { Outbox } from './outbox.ts';
import { type Answer, alertIn, LineReader, LONGEST_ORDER, lineOf, messengerCommand, type Orders } from './protocol.ts';
import { LogDelivery } from './system-log.ts';
import { WebhookDelivery } from './webhook.ts';

/** Answers are dropped while more bytes than this wait to be read. */
const UNREAD_BYTES = 256 * 1024;

/** Becomes the user of the orders, without any capability, and confirms it. @returns what could not be done */
async function lowerRights({ identity, plan }: Orders): Promise<string> {
  const platform = process.platform === 'darwin' ? 'darwin' : 'linux';
  const starts = plan.command.length > 0 || (plan.desktop && platform === 'darwin');
  const status = dropPrivileges({ platform, identity, keep: [], starts }, credentialsOf(), await libcCalls(platform));
  if (process.geteuid?.() === 0) throw new Error(`root could not be dropped: ${status.note}`);
  if (status.dropped && platform === 'linux') confirmDropped(identity, { main: [], others: [] }, false);
  if (holdsCapabilities()) throw new Error('capabilities could not be dropped');
  return status.note
    .split('; ')
    .filter((note) => note !== identity.note)
    .join('; ');
}

/** What the plan asks for. Everything that a delivery needs of the program's files is loaded by now: the user may not be able to read them. */
function deliveriesOf({ plan, bus }: Orders, log: Delivery | null): Delivery[] {
  const wanted: Readonly<Record<Channel, Delivery | null>> = {
    desktop: plan.desktop ? desktopDelivery(process.platform, bus) : null,
    command: plan.command.length > 0 ? new HookDelivery(plan.command) : null,
    webhook: plan.webhook === null ? null : new WebhookDelivery(plan.webhook),
    syslog: log,
  };
  return Object.values(wanted).filter((delivery) => delivery !== null);
}

function answer(message: Answer): void {
  if (process.stdout.writableLength < UNREAD_BYTES) process.stdout.write(lineOf(message));
}

/** Works until standard input ends. */
async function work(orders: Orders, lines: AsyncIterable<readonly string[]>): Promise<void> {
  const flock = await systemFlock();
  const log = orders.plan.syslog ? new LogDelivery(systemDatagrams()) : null;
  const note = await lowerRights(orders);
  const outbox = Outbox.open(orders.plan.folder, flock);
  const deliveries = deliveriesOf(orders, log);
  const dispatcher = new Dispatcher({ outbox, deliveries, plan: orders.plan, clock: systemClock, answer });
  answer({ type: 'ready', user: orders.identity.name, note });
  dispatcher.report();
  for await (const some of lines) dispatcher.take(some.map(alertIn).filter((alert) => alert !== null));
  const timer = setTimeout(() => dispatcher.stop(), LAST_MS);
  await dispatcher.idle();
  clearTimeout(timer);
  outbox.close();
}

/** Lines of standard input, as many at a time as came together. */
async function* linesOf(input: AsyncIterable<Buffer>): AsyncGenerator<readonly string[], void> {
  const reader = new LineReader(LONGEST_ORDER);
  for await (const chunk of input) {
    const lines: string[] = [];
    if (!reader.take(chunk, (line) => lines.push(line))) return;
    if (lines.length > 0) yield lines;
  }
}

hardenStart();
// It ends when its pipe does, so that what was handed over is delivered.
for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM', 'SIGPIPE'] as const) process.on(signal, () => undefined);
process.stdout.on('error', () => undefined);

async function begin(): Promise<void> {
  await startOverWithoutCapabilities(messengerCommand());
  const lines = linesOf(process.stdin);
  const [first = '', ...others] = (await lines.next()).value ?? [];
  const rest = async function* () {
    yield others;
    yield* lines;
  };
  await work(JSON.parse(first) as Orders, rest());
}

begin().then(
  () => process.exit(0),
  (thrown) => process.stdout.write(lineOf({ type: 'refused', reason: reasonOf(thrown) }), () => process.exit(1)),
);
