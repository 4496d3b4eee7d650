// The doctor's steps about history: where it is, whether it can be trusted, who records into it, whether it opens. They change nothing.

import { closeSync, constants, lstatSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { journalNumbers, journalPath, lockPath } from '../../history/files.ts';
import type { HistoryReader } from '../../history/query/reader.ts';
import { whoAnswers } from '../../messenger/metrics-listener.ts';
import type { ListenPlan, PushPlan } from '../../model/export.ts';
import { shellWords } from '../../net/quote.ts';
import { type Flock, systemFlock } from '../../system/file-lock.ts';
import { formatAmount, formatDateTime } from '../../view/text/format.ts';
import type { Surroundings } from '../config/surroundings.ts';
import { type Finding, no, ok, type Step, skipped } from './step.ts';

/** What the steps look at and with. */
export interface HistoryLook {
  readonly around: Surroundings;
  readonly open: (path: string) => Promise<HistoryReader>;
  /** null if locks can't be checked. */
  readonly flock: () => Promise<Flock | null>;
}

/** Those of this machine. */
export function historyLook(around: Surroundings): HistoryLook {
  return { around, open: async (path) => (await import('../../history/query/reader.ts')).openHistory(path), flock: systemFlock };
}

const OPEN_TO_OTHERS = 0o077;
const MINUTE_MS = 60_000;
/** Minutes that an engine may lack: sending takes a moment. */
const MOST_LATE = 5;

/** The steps. Without a file, some are skipped. */
export function historySteps(look: HistoryLook): Step[] {
  let settled: Promise<Place> | null = null;
  const place = () => {
    settled ??= placeOf(look.around);
    return settled;
  };
  return [
    { name: 'history', ask: async () => fileFinding(await place()) },
    { name: 'recorder', ask: async () => recorderFinding(await place(), await look.flock()) },
    { name: 'records', ask: async () => recordsFinding(await place(), look.open) },
    { name: 'exports', ask: async () => exportsFinding(await place(), look.open) },
  ];
}

interface Place {
  readonly path: string | null;
  readonly enabled: string;
  readonly uid: number;
  /** Engines that records are sent to. */
  readonly push: readonly PushPlan[];
  /** Where Prometheus asks; null if it doesn't. */
  readonly listen: ListenPlan | null;
}

/** What a run without flags would use. */
async function placeOf(around: Surroundings): Promise<Place> {
  const [{ parseCommandLine }, { loadConfig }, { ownerOf }, { resolveExports }] = await Promise.all([
    import('../command-line.ts'),
    import('../config/config.ts'),
    import('../config/surroundings.ts'),
    import('../resolve.ts'),
  ]);
  const config = await loadConfig(parseCommandLine([]), around);
  const { settings, historyDefault } = config;
  const { push = [], prometheus: listen = null } = resolveExports(config, around.env) ?? {};
  const recording = settings['history.enabled'];
  const enabled = recording.value ? `on by ${recording.origin}` : 'off unless asked for';
  return { path: settings['history.path'].value ?? historyDefault, enabled, uid: ownerOf(around).uid, push, listen };
}

function fileFinding({ path, enabled, uid }: Place): Finding {
  if (path === null) return no('no home folder is known, so there is nowhere to keep it', 'say where: netmon-tui --history=PATH');
  const recording = `recording is ${enabled}`;
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) {
    const pending = journalSizes(path);
    return ok(pending.length > 0 ? `${path} has not been written yet; ${recording}` : `none in ${path}; ${recording}`);
  }
  if (stats.isSymbolicLink())
    return no(`${path} is a symbolic link`, 'put the file itself there, or name another: --history=PATH');
  if (!stats.isFile()) return no(`${path} is not a regular file`, 'name another: --history=PATH');
  if (stats.uid !== uid && uid !== 0)
    return no(`${path} belongs to another user`, `type: sudo chown ${uid} ${shellWords([path])}`);
  if ((stats.mode & OPEN_TO_OTHERS) !== 0) return no(`${path} is open to other users`, `type: chmod 600 ${shellWords([path])}`);
  return ok(`${path}, ${size(stats.size)}, written ${formatDateTime(stats.mtimeMs).slice(0, 16)}; ${recording}`);
}

function recorderFinding({ path }: Place, flock: Flock | null): Finding {
  if (path === null || lstatSync(dirname(path), { throwIfNoEntry: false }) === undefined) return skipped('no history');
  const journals = journalSizes(path);
  const pending =
    journals.length === 0 ? 'nothing is pending' : `${size(journals.reduce((sum, one) => sum + one, 0))} are pending`;
  if (flock === null) return skipped(`locks can't be checked here; ${pending}`);
  let descriptor: number;
  try {
    descriptor = openSync(lockPath(path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    return code === 'ENOENT' ? ok(`none; ${pending}`) : no(`its lock can't be opened (${code})`);
  }
  try {
    if (flock(descriptor)) return ok(`none; ${pending}`); // let go with the descriptor
    const pid = /^\d{1,10}/.exec(readFileSync(descriptor, 'latin1'))?.[0];
    return ok(`${pid === undefined ? 'one' : `pid ${pid}`} records; ${pending}`);
  } finally {
    closeSync(descriptor);
  }
}

async function recordsFinding({ path }: Place, open: HistoryLook['open']): Promise<Finding> {
  if (path === null || (lstatSync(path, { throwIfNoEntry: false }) === undefined && journalSizes(path).length === 0))
    return skipped('no history');
  const reader = await open(path);
  try {
    const nothing = { app: null, domain: null, category: null, interface: null, filter: null, top: 1, steps: 0 };
    const { oldest, newest } = await reader.query({ ...nothing, from: 0, to: 60_000, by: 'app' });
    const notice = reader.notice === null ? '' : `; ${reader.notice}`;
    if (oldest === null || newest === null) return ok(`it opens; nothing is recorded${notice}`);
    const [from, to] = [oldest, newest].map((time) => formatDateTime(time).slice(0, 16));
    return ok(`it opens; recorded from ${from} to ${to}${notice}`);
  } finally {
    await reader.close();
  }
}

/** How far each engine got, by what the history file says, and whether Prometheus may ask. */
async function exportsFinding(place: Place, open: HistoryLook['open']): Promise<Finding> {
  const { push, listen } = place;
  if (push.length === 0 && listen === null) return skipped('nothing is sent to an engine: [export] is not set');
  const metrics = listen === null ? null : await metricsFinding(listen);
  if (push.length === 0 && metrics !== null) return metrics;
  const sent = await sentFinding(place, open);
  if (metrics === null) return sent;
  const detail = `${sent.detail}; ${metrics.detail}`;
  return metrics.result === 'no' ? { ...metrics, detail } : { ...sent, detail };
}

/** Who answers where Prometheus asks. The address is this machine's own. */
async function metricsFinding(plan: ListenPlan): Promise<Finding> {
  const { port } = plan;
  const who = await whoAnswers(plan);
  if (who === 'nobody') return ok(`prometheus: port ${port} is free until a run listens there`);
  if (who === 'netmon-tui') return ok(`prometheus: netmon-tui answers on port ${port}`);
  return no(`prometheus: another program uses port ${port}`, 'choose another: listen in [export.prometheus]');
}

async function sentFinding({ path, push }: Place, open: HistoryLook['open']): Promise<Finding> {
  if (path === null || (lstatSync(path, { throwIfNoEntry: false }) === undefined && journalSizes(path).length === 0))
    return skipped('no history, which is what is sent');
  const reader = await open(path);
  try {
    const { minute: settled, marks } = await reader.exportQueue(0);
    const found = push.map(({ engine, url }) => {
      const minute = marks.find((mark) => mark.engine === engine)?.minute ?? null;
      if (minute === null || settled === null) return { words: `${engine}: nothing sent yet`, isBehind: false };
      const late = Math.max(0, settled - minute);
      const plain = url.startsWith('http:') ? ', not encrypted' : '';
      const has = `${engine}: has all up to ${formatDateTime((minute + 1) * MINUTE_MS).slice(0, 16)}${plain}`;
      return { words: late > 0 ? `${has}, ${late} min behind` : has, isBehind: late > MOST_LATE };
    });
    const detail = found.map(({ words }) => words).join('; ');
    if (!found.some(({ isBehind }) => isBehind)) return ok(detail);
    return no(detail, 'the run that records says why: c on its screen, or standard error of netmon-tui record');
  } finally {
    await reader.close();
  }
}

function journalSizes(path: string): number[] {
  return journalNumbers(path).map((number) => lstatSync(journalPath(path, number), { throwIfNoEntry: false })?.size ?? 0);
}

function size(bytes: number): string {
  return formatAmount(bytes, 'bytes-decimal').trim();
}
