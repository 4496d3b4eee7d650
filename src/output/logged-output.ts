// An output whose run is logged: what a sample says about capture, owners, privileges and history is written down when it changes. Everything
// that the log tells comes from the samples, as on the screen; flows, notes and reasons may hold names and addresses, and are for `debug` alone.

import type { CaptureStatus, FlowRow, Snapshot } from '../model/snapshot.ts';
import { counted, type Dropped, droppedText } from '../net/counted.ts';
import type { Log } from '../system/log.ts';
import type { Output } from './output.ts';

/** Lost packets are logged once in this time, ms. */
const LOSS_MS = 10_000;
/** Ends a line that has more to it, which is for `debug`. */
const MORE = ' (--log-level debug says more)';

/** The same output, logged. */
export function loggedOutput(output: Output, log: Log): Output {
  const changes = new CaptureLog(log);
  const { limits } = output;
  return {
    wantsEvents: output.wantsEvents || log.level === 'debug',
    ...(limits === undefined ? {} : { limits }),
    begin: (start) => output.begin?.(start),
    sample(snapshot, turn) {
      changes.sample(snapshot, false);
      return output.sample(snapshot, turn);
    },
    opened(flow) {
      log.write('debug', `flow opened: ${flowText(flow)}`);
      if (output.wantsEvents) output.opened(flow);
    },
    closed(flow) {
      log.write('debug', `flow closed: ${flowText(flow)}`);
      if (output.wantsEvents) output.closed(flow);
    },
    gap(gap) {
      log.write('warn', `gap of ${((gap.to - gap.from) / 1000).toFixed(1)} s (${gap.reason})`);
      log.write('debug', `gap: ${gap.detail}`);
      output.gap(gap);
    },
    end(snapshot) {
      changes.sample(snapshot, true);
      return output.end(snapshot);
    },
    ...(output.endWithRows === undefined
      ? {}
      : {
          endWithRows: (last) => {
            changes.sample(last.snapshot, true);
            return output.endWithRows?.(last) ?? Promise.resolve();
          },
        }),
  };
}

/** Logs what differs from the sample before. */
class CaptureLog {
  readonly #log: Log;
  /** Text of each subject as it was last logged. */
  readonly #said = new Map<string, string>();
  readonly #fallbacks = new Set<string>();
  #interfaces: ReadonlySet<string> = new Set();
  #savedAt: number | null = null;
  #lost: Dropped = { kernel: 0, own: 0 };
  #lostAt = Number.NEGATIVE_INFINITY;

  constructor(log: Log) {
    this.#log = log;
  }

  sample({ time, capture }: Snapshot, isLast: boolean): void {
    for (const { driver, reason } of capture.fallbacks) this.#fallback(driver, reason);
    this.#changed('driver', 'info', `capture driver: ${capture.driver}`);
    this.#changed('owners', 'info', `owners from: ${capture.attribution}`);
    this.#interfacesOf(capture);
    this.#note(capture.note);
    this.#privileges(capture);
    this.#history(capture);
    this.#loss(capture, time, isLast);
    if (isLast)
      this.#log.write('info', `end of the run: ${capture.packets === null ? 'no packets' : counted(capture.packets, 'packet')}`);
  }

  #fallback(driver: string, reason: string): void {
    const text = `not used: ${driver}: ${reason}`;
    if (this.#fallbacks.has(text)) return;
    this.#fallbacks.add(text);
    this.#log.write('info', `not used: ${driver}`);
    this.#log.write('debug', text);
  }

  /** That nothing is wrong is worth a line only after something was. */
  #note(note: string): void {
    const isFirst = !this.#said.has('capture');
    if (note !== '') this.#changed('capture', 'warn', `capture: something is wrong${MORE}`);
    else if (!isFirst) this.#changed('capture', 'info', 'capture: nothing is wrong');
    this.#changed('note', 'debug', `capture: ${note}`);
  }

  /** Names in a file are whatever its writer chose. */
  #interfacesOf({ interfaces, file }: CaptureStatus): void {
    const level = file === null ? 'info' : 'debug';
    const now = new Set(interfaces);
    for (const name of now) if (!this.#interfaces.has(name)) this.#log.write(level, `interface ${name}: captured`);
    for (const name of this.#interfaces) if (!now.has(name)) this.#log.write(level, `interface ${name}: no longer captured`);
    this.#interfaces = now;
  }

  #privileges({ privileges }: CaptureStatus): void {
    if (privileges === null) return;
    const { user, uid, dropped, kept, note } = privileges;
    const root = dropped ? 'root was given up' : uid === 0 ? 'still root' : 'there was no root to give up';
    const keeps = kept.length === 0 ? 'keeps nothing' : `keeps ${kept.join(' ')}`;
    this.#changed('privileges', 'info', `privileges: uid ${uid}, ${root}, ${keeps}${note === '' ? '' : MORE}`);
    this.#changed('user', 'debug', `user: ${user}; ${note}`);
  }

  #history({ history }: CaptureStatus): void {
    if (history === null) return;
    const { state, note, savedAt, fileBytes } = history;
    this.#changed('history', state === 'recording' ? 'info' : 'warn', `history: ${state}${note === '' ? '' : MORE}`);
    this.#changed('history note', 'debug', `history: ${note}`);
    if (savedAt !== null && savedAt !== this.#savedAt) this.#log.write('info', `history: saved, ${fileBytes ?? 'unknown'} bytes`);
    this.#savedAt = savedAt;
  }

  #loss({ dropped, shed }: CaptureStatus, time: number, isLast: boolean): void {
    const lost = { kernel: dropped ?? this.#lost.kernel, own: shed };
    const text = droppedText(lost, this.#lost);
    if (text === '' || (!isLast && time - this.#lostAt < LOSS_MS)) return;
    this.#log.write('warn', `${text}; since the start ${droppedText(lost)}`);
    this.#lost = lost;
    this.#lostAt = time;
  }

  /** Logs a text that differs from the last one on the same subject. */
  #changed(subject: string, level: 'debug' | 'info' | 'warn', text: string): void {
    const before = this.#said.get(subject);
    this.#said.set(subject, text);
    if (before === text) return;
    this.#log.write(level, text);
  }
}

function flowText({ protocol, local, remote, app, pid, attribution, reason, host, rxBytes, txBytes }: FlowRow): string {
  const owner = app === null ? `no owner: ${reason}` : `${app} (pid ${pid ?? 'unknown'}, ${attribution})`;
  return `${protocol} ${endText(local)} ${endText(remote)}, ${host ?? 'no name'}, ${owner}, ${rxBytes} bytes received, ${txBytes} sent`;
}

function endText({ address, port }: FlowRow['local']): string {
  return `${address} port ${port}`;
}
