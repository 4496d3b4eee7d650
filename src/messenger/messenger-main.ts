// Entry point of the messenger: drops its rights, then takes alerts, metrics and batches for engines on standard input and says on standard output what
// became of them. It sees no packet. When the program is gone, it finishes what it is sending and ends; the rest stays in the outbox, and in the history
// file.

import type { Channel, DeliveryPlan } from '../model/delivery.ts';
import { reasonOf } from '../model/errors.ts';
import { type ListenPlan, METRIC_ENGINES, type PushEngine, type PushPlan } from '../model/export.ts';
import type { ExportBatch } from '../model/export-batch.ts';
import { confirmDropped, credentialsOf, dropPrivileges, libcCalls } from '../privilege/drop.ts';
import { hardenStart } from '../privilege/harden.ts';
import { holdsCapabilities, startOverWithoutCapabilities } from '../privilege/start-over.ts';
import { version } from '../system/build.ts';
import { systemClock } from '../system/clock.ts';
import { type Flock, systemFlock } from '../system/file-lock.ts';
import { systemDatagrams } from './datagram.ts';
import type { Delivery } from './delivery.ts';
import { desktopDelivery } from './desktop.ts';
import { Dispatcher, LAST_MS } from './dispatcher.ts';
import { ClickHouseSender } from './engines/clickhouse.ts';
import { type EngineEvents, EngineQueue, type EngineSender } from './engines/engine-queue.ts';
import { IpfixSender } from './engines/ipfix.ts';
import { LiveMetrics } from './engines/live-metrics.ts';
import { OtlpSender } from './engines/otlp.ts';
import { PushFile } from './engines/push-file.ts';
import { RemoteWriteSender } from './engines/remote-write.ts';
import { HookDelivery } from './hook.ts';
import { MetricsListener } from './metrics-listener.ts';
import { Outbox } from './outbox.ts';
import {
  type Answer,
  alertIn,
  batchIn,
  LineReader,
  LONGEST_ORDER,
  lineOf,
  messengerCommand,
  metricsIn,
  type Orders,
} from './protocol.ts';
import { LogDelivery } from './system-log.ts';
import { WebhookDelivery } from './webhook.ts';

/** Answers are dropped while more bytes than this wait to be read. */
const UNREAD_BYTES = 256 * 1024;

/** Becomes the user of the orders, without any capability, and confirms it. @returns what could not be done */
async function lowerRights({ identity, plan }: Orders): Promise<string> {
  const platform = process.platform === 'darwin' ? 'darwin' : 'linux';
  const starts = plan !== null && (plan.command.length > 0 || (plan.desktop && platform === 'darwin'));
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
function deliveriesOf(plan: DeliveryPlan, bus: string | null, log: Delivery | null): Delivery[] {
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

/** Has Prometheus served. */
function listen(plan: ListenPlan): MetricsListener {
  const listener: MetricsListener = new MetricsListener(plan, systemClock, () =>
    answer({ type: 'engines', engines: [listener.status] }),
  );
  return listener;
}

/** What delivers alerts; null if none are to be. */
function dispatcherOf({ plan, bus }: Orders, flock: Flock | null, log: Delivery | null) {
  if (plan === null) return null;
  const outbox = Outbox.open(plan.folder, flock);
  const dispatcher = new Dispatcher({ outbox, deliveries: deliveriesOf(plan, bus, log), plan, clock: systemClock, answer });
  return { outbox, dispatcher };
}

/** What sends to engines. @param live what is told of the moment, to those that take it @param program version of the program */
function queuesOf({ exports }: Orders, live: ReadonlyMap<PushEngine, LiveMetrics>, program: string): EngineQueue[] {
  const events: EngineEvents = {
    taken: (engine, token, refused) => answer({ type: 'taken', engine, token, refused }),
    held: (engine, token, failure, next) => answer({ type: 'held', engine, token, failure, next }),
  };
  const senderFor = (plan: PushPlan): EngineSender => {
    const { engine } = plan;
    if (engine === 'ipfix') return new IpfixSender(plan);
    const told = live.get(engine);
    if (told === undefined || engine === 'clickhouse') return new ClickHouseSender(plan);
    const file = new PushFile(exports?.folder ?? null, engine);
    return engine === 'otlp'
      ? new OtlpSender(plan, file, told, program, process.platform)
      : new RemoteWriteSender(plan, file, told);
  };
  return (exports?.push ?? []).map((plan) => new EngineQueue(senderFor(plan), systemClock, events));
}

/** Works until standard input ends. */
async function work(orders: Orders, lines: AsyncIterable<readonly string[]>): Promise<void> {
  const { plan, exports } = orders;
  const flock = await systemFlock();
  const log = plan?.syslog === true ? new LogDelivery(systemDatagrams()) : null;
  const program = version(); // the user may not be able to read the program's files
  const note = await lowerRights(orders);
  const alerts = dispatcherOf(orders, flock, log);
  const live = new Map(METRIC_ENGINES.map((engine) => [engine, new LiveMetrics(systemClock)]));
  const queues = queuesOf(orders, live, program);
  const listener = exports?.prometheus == null ? null : listen(exports.prometheus);
  answer({ type: 'ready', user: orders.identity.name, note });
  alerts?.dispatcher.report();
  for await (const some of lines) {
    alerts?.dispatcher.take(some.map(alertIn).filter((alert) => alert !== null));
    const newest = some.findLast((line) => line.startsWith('{"type":"metrics"'));
    const set = newest === undefined ? null : metricsIn(newest);
    if (set !== null) for (const taker of [listener, ...live.values()]) taker?.give(set);
    if (queues.length === 0) continue;
    for (const batch of some.map(batchIn)) queues.find(({ engine }) => engine === batch?.engine)?.take(batch as ExportBatch);
  }
  listener?.close();
  const timer = setTimeout(() => alerts?.dispatcher.stop(), LAST_MS);
  for (const queue of queues) queue.stop(); // the rest is in the history file
  await Promise.all([alerts?.dispatcher.idle(), ...queues.map((queue) => queue.idle())]);
  clearTimeout(timer);
  alerts?.outbox.close();
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
