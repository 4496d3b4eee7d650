// The program's side of the messenger: starts it, hands over alerts, and keeps what it says about itself. Everything that it says is checked.

import { type ChildProcess, spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { type Alert, type AlertDelivery, alertFields } from '../model/alert.ts';
import { CHANNELS, type Channel, type DeliveryPlan, type MessengerStatus } from '../model/delivery.ts';
import type { EngineStatus, ExportPlan, PushEngine, Refused } from '../model/export.ts';
import type { ExportBatch } from '../model/export-batch.ts';
import type { MetricSet } from '../model/metrics.ts';
import { type Identity, identityOf, macAccount } from '../system/accounts.ts';
import { systemClock } from '../system/clock.ts';
import type { Edges } from '../system/edges.ts';
import { readSystemFile } from '../system/small-file.ts';
import { answerIn, LineReader, LONGEST_ANSWER, lineOf, messengerCommand, type Orders } from './protocol.ts';

/** How long to wait for it at the end, ms. It may go on by itself. */
const CLOSE_MS = 1000;
/** Alerts are dropped while more bytes than this wait for it. */
const UNREAD_BYTES = 1 << 20;
/** Deliveries that wait for history. */
const MOST_DELIVERIES = 1000;
/** Alerts of which it is known what became of them; a run keeps as many. */
const MOST_OUTCOMES = 500;
const ENDED = 'the messenger has ended: nothing leaves this run any more';
/** Why an engine gets nothing any more. */
export const GONE = 'the messenger has ended';
/** Variables of the messenger and of what it starts. */
const FIXED = { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin' };

/** Starts the process; tests replace it. */
export type StartMessenger = (env: Readonly<Record<string, string>>) => ChildProcess;

/** A batch that an engine is to get. */
interface Sending {
  readonly token: string;
  readonly resolve: (refused: Refused | null) => void;
  readonly reject: (error: Error) => void;
}

/** Why an engine hasn't taken a batch yet. */
export interface HeldBatch {
  readonly failure: string;
  /** When it is tried next, epoch ms. */
  readonly next: number;
}

/** Hands alerts and batches to the messenger. Start it before root is dropped, because nothing can be started afterwards. */
export class Messenger {
  readonly #child: ChildProcess;
  readonly #lack: string;
  #status: MessengerStatus;
  #deliveries: AlertDelivery[] = [];
  /** Of the latest alerts; another map for each change, because snapshots have it. */
  #outcomes: ReadonlyMap<string, readonly AlertDelivery[]> = new Map();
  #engines: readonly EngineStatus[] = [];
  readonly #sending = new Map<PushEngine, Sending>();
  readonly #held = new Map<PushEngine, HeldBatch>();
  #dropped = 0;
  #hasEnded = false;
  /** User as which it is to run. */
  readonly uid: number;

  /** Starts it for this run's user. @param plan, exports null for nothing of the kind @param user `--user`; null if not given */
  static async start(
    plan: DeliveryPlan | null,
    exports: ExportPlan | null,
    edges: Edges,
    user: string | null,
    start: StartMessenger = startMessenger,
  ): Promise<Messenger> {
    const identity = await identityFor(edges, user);
    const { TZ = '' } = process.env;
    const locale = edges.platform === 'darwin' ? 'en_US.UTF-8' : 'C.UTF-8';
    const child = start({ ...FIXED, LC_ALL: locale, ...(/^[A-Za-z][\w/+-]{0,63}$/.test(TZ) ? { TZ } : {}) });
    const delivered = plan === null ? null : allowed(plan, identity);
    const lack = plan === null ? '' : lackOf(plan, identity);
    return new Messenger(child, { identity, plan: delivered, exports, bus: busOf(edges, identity) }, lack);
  }

  /** @param child just started, with pipes for standard input and output @param lack what the user asked for and can't have; empty if nothing */
  constructor(child: ChildProcess, orders: Orders, lack = '') {
    this.#lack = lack;
    this.uid = orders.identity.uid;
    this.#child = child;
    const none = { delivered: 0, waiting: 0, lost: 0, failure: null, hold: null, next: null };
    const { plan } = orders;
    const channels = plan === null ? [] : channelsOf(plan).map((channel) => ({ channel, ...none }));
    const url = plan?.webhook?.url;
    const host = url === undefined ? null : new URL(url).host;
    this.#status = { isReady: false, host, user: '', note: '', channels, isLeft: false, outcomes: this.#outcomes };
    const reader = new LineReader(LONGEST_ANSWER);
    child.stdin?.on('error', () => this.#end());
    child.stdout?.on('error', () => this.#end());
    child.stdout?.on('data', (chunk: Buffer) => {
      if (!this.#hasEnded && !reader.take(chunk, (line) => this.#hear(line))) this.#end();
    });
    child.once('error', () => this.#end());
    child.once('close', () => this.#end());
    child.stdin?.write(lineOf(orders));
    child.unref();
  }

  /** Whether it runs as this process. */
  is(pid: number): boolean {
    return !this.#hasEnded && pid === this.#child.pid;
  }

  /** It is gone. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** How far it got. */
  get status(): MessengerStatus {
    const note = [
      this.#lack,
      this.#status.note,
      this.#dropped > 0 ? `alerts were dropped, because it is stuck: ${this.#dropped}` : '',
    ];
    return { ...this.#status, note: note.filter((part) => part !== '').join('; '), outcomes: this.#outcomes };
  }

  /** Has an alert delivered, unless it is held. */
  deliver(alert: Alert): void {
    if (alert.held !== null || this.#hasEnded) return;
    if ((this.#child.stdin?.writableLength ?? 0) > UNREAD_BYTES) this.#dropped++;
    else this.#child.stdin?.write(lineOf(alertFields(alert)));
  }

  /** Engines that it serves, and how far each got; empty until it says so. */
  get engines(): readonly EngineStatus[] {
    return this.#hasEnded ? this.#engines.map((engine) => ({ ...engine, failure: GONE })) : this.#engines;
  }

  /** Has it tell these metrics from now on. If it is stuck it misses some: the next ones have everything again. */
  tell(set: MetricSet): void {
    if (this.#hasEnded || (this.#child.stdin?.writableLength ?? 0) > UNREAD_BYTES) return;
    this.#child.stdin?.write(lineOf({ type: 'metrics', ...set }));
  }

  /**
   * Has a batch sent. Resolves once the engine has it, however long that takes, with what it refused of it; rejects if the messenger ends before. One
   * batch at a time for each engine.
   */
  send(batch: ExportBatch): Promise<Refused | null> {
    return new Promise((resolve, reject) => {
      if (this.#hasEnded) {
        reject(new Error(ENDED));
        return;
      }
      this.#sending.set(batch.engine, { token: batch.token, resolve, reject });
      this.#child.stdin?.write(lineOf({ type: 'batch', ...batch }));
    });
  }

  /** Why an engine hasn't taken its batch yet; null if no try has failed. */
  heldBatch(engine: PushEngine): HeldBatch | null {
    return this.#held.get(engine) ?? null;
  }

  /** What became of alerts since the last call, for history. */
  takeDeliveries(): AlertDelivery[] {
    return this.#deliveries.splice(0);
  }

  /** Hands over what is left, and waits a moment for its deliveries. */
  async close(): Promise<void> {
    this.#child.stdin?.end();
    if (this.#hasEnded) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, CLOSE_MS);
      this.#child.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #hear(line: string): void {
    const answer = answerIn(line);
    if (answer === null) return;
    if (answer.type === 'done')
      this.#keep({ id: answer.id, sink: answer.channel, time: systemClock.now(), failure: answer.failure });
    else if (answer.type === 'ready') this.#status = { ...this.#status, isReady: true, user: answer.user, note: answer.note };
    else if (answer.type === 'taken') this.#take(answer.engine, answer.token, answer.refused);
    else if (answer.type === 'held') this.#held.set(answer.engine, { failure: answer.failure, next: answer.next });
    else if (answer.type === 'status') this.#status = { ...this.#status, note: answer.note, channels: answer.channels };
    else if (answer.type === 'engines') this.#engines = answer.engines;
    else this.#status = { ...this.#status, isReady: false, note: `the messenger can't work: ${answer.reason}` };
  }

  #take(engine: PushEngine, token: string, refused: Refused | null): void {
    const sending = this.#sending.get(engine);
    if (sending?.token !== token) return;
    this.#sending.delete(engine);
    this.#held.delete(engine);
    sending.resolve(refused);
  }

  #keep(delivery: AlertDelivery): void {
    if (this.#deliveries.push(delivery) > MOST_DELIVERIES) this.#deliveries.shift();
    const outcomes = new Map(this.#outcomes);
    const others = (outcomes.get(delivery.id) ?? []).filter(({ sink }) => sink !== delivery.sink);
    outcomes.set(delivery.id, [...others, delivery]);
    if (outcomes.size > MOST_OUTCOMES) outcomes.delete(outcomes.keys().next().value as string);
    this.#outcomes = outcomes;
  }

  #end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#child.stdin?.destroy();
    for (const { reject } of this.#sending.values()) reject(new Error(ENDED));
    this.#sending.clear();
    const { note, isReady } = this.#status;
    this.#status = { ...this.#status, isReady: false, note: isReady || note === '' ? ENDED : note };
  }
}

/** Channels that a plan uses. */
export function channelsOf({ desktop, command, webhook, syslog }: DeliveryPlan): Channel[] {
  const isUsed: Readonly<Record<Channel, boolean>> = { desktop, command: command.length > 0, webhook: webhook !== null, syslog };
  return CHANNELS.filter((channel) => isUsed[channel]);
}

/** The user whose programs it starts. It is never root, whoever the run stays. */
async function identityFor(edges: Edges, user: string | null): Promise<Identity> {
  const beside = (name: string) => readSystemFile(join(dirname(edges.paths.passwd), name), 1 << 20) ?? '';
  const passwd = `${beside('passwd')}\n${await macAccount(edges, user)}`;
  const request = { euid: edges.euid(), stayRoot: false, records: false, passwd, group: beside('group') };
  const identity = identityOf({ ...request, env: process.env, user });
  return identity.uid === 0 ? identityOf({ ...request, env: {}, user: null }) : identity;
}

/** Nobody has no programs. */
function allowed(plan: DeliveryPlan, { by }: Identity): DeliveryPlan {
  return by === 'nobody' ? { ...plan, command: [], desktop: false } : plan;
}

function lackOf({ command, desktop }: DeliveryPlan, { by }: Identity): string {
  return by === 'nobody' && (command.length > 0 || desktop)
    ? 'command and desktop are left out, because root has no user here: --user NAME'
    : '';
}

/** The session bus. Under sudo the environment is root's, and the usual place has to do. */
function busOf({ platform }: Edges, { by, uid }: Identity): string | null {
  if (platform === 'darwin') return null;
  const named = by === 'self' ? process.env['DBUS_SESSION_BUS_ADDRESS'] : undefined;
  return named ?? `unix:path=/run/user/${uid}/bus`;
}

function startMessenger(env: Readonly<Record<string, string>>): ChildProcess {
  const command = messengerCommand();
  // In a session of its own: a signal of the terminal must not end it, and what it starts can't reach the terminal.
  return spawn(command.path, command.args, {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { ...env, ...command.env },
    cwd: '/',
    detached: true,
    shell: false,
  });
}
