// `netmon-tui alerts`: what the watch found in a range of recorded time, as a list or as JSON lines; and by exit status, for scripts.

import { alertFields, type RecordedAlert, SEVERITIES } from '../../model/alert.ts';
import { FOUND_STATUS } from '../../model/errors.ts';
import type { TimeRange } from '../../model/history.ts';
import type { Options } from '../../model/options.ts';
import { counted } from '../../net/counted.ts';
import { sanitize } from '../../net/text.ts';
import { timeField } from '../../output/fields.ts';
import { REPORT_WIDTHS, type Sheet, sheetOf, type TextStyle } from '../../output/text-table.ts';
import { drawable, wrapWords } from '../../view/text/cells.ts';
import { formatDateTime } from '../../view/text/format.ts';
import type { CommandLine } from '../command-line.ts';
import type { CommandIo } from './command-io.ts';
import { reading } from './command-io.ts';
import { parseRange } from './range.ts';

/** More than history keeps. */
const ALL = 1_000_000;
/** Cells before the sentence: time, severity, kind. */
const TIME_CELLS = 18;
const SEVERITY_CELLS = 10;
const KIND_CELLS = 18;

/**
 * Lists alerts, oldest first.
 *
 * @param path of the history file
 * @returns exit status 0; with `--exit-code` FOUND_STATUS if any of them counts. @throws NetmonError `usage`, `history`
 */
export async function alertsCommand(
  line: CommandLine,
  options: Pick<Options, 'ascii' | 'color'>,
  path: string,
  io: CommandIo,
): Promise<number> {
  const range = parseRange(line.text('since'), line.text('until'), io.clock.now());
  const least = SEVERITIES.indexOf(line.value('severity'));
  const found = await reading(path, io, (reader) => reader.alerts({ ...range, app: line.text('app') || null, most: ALL }));
  const alerts = found.filter(({ severity }) => SEVERITIES.indexOf(severity) >= least);
  const { out } = io;
  const style = { columns: out.columns, color: options.color && out.isTerminal, ascii: options.ascii };
  await out.write(line.has('json') ? alerts.map(alertLine).join('') : alertsText(alerts, range, style));
  return line.has('exit-code') && alerts.some(counts) ? FOUND_STATUS : 0;
}

/** False for what was met while learning, and for what the user silenced. */
function counts({ held }: RecordedAlert): boolean {
  return held === null || held === 'no history';
}

function alertLine(alert: RecordedAlert): string {
  const deliveries = alert.deliveries.map(({ sink, time, failure }) => ({ sink, time: timeField(time), failure }));
  const fields = { ...alertFields(alert), deliveries };
  return `${JSON.stringify(fields, (_, value) => (typeof value === 'string' ? sanitize(value) : value))}\n`;
}

function alertsText(alerts: readonly RecordedAlert[], { from, to }: TimeRange, style: TextStyle): string {
  const sheet = sheetOf(style, REPORT_WIDTHS);
  const begin = from === 0 ? 'the beginning' : formatDateTime(from).slice(0, 16);
  const title = `Alerts from ${begin} to ${formatDateTime(to).slice(0, 16)}`;
  const lines = [sheet.paint.title(title), alerts.length === 0 ? 'none' : counted(alerts.length, 'alert'), ''];
  if (alerts.length > 0) lines.push(...alerts.flatMap((alert) => alertLines(alert, sheet)));
  else lines.pop();
  return `${lines.join('\n')}\n`;
}

/** The sentence beside time, severity and kind, and the details under it. */
function alertLines(alert: RecordedAlert, { width, glyphs, paint }: Sheet): string[] {
  const { time, severity, kind, text, details } = alert;
  const head = formatDateTime(time).slice(0, 16).padEnd(TIME_CELLS) + severity.padEnd(SEVERITY_CELLS) + kind.padEnd(KIND_CELLS);
  const room = Math.max(20, width - head.length);
  const wrapped = (words: string) => wrapWords(drawable(words, glyphs), room);
  const under = [...details, ...outcomeOf(alert)].flatMap(wrapped);
  const indent = ' '.repeat(head.length);
  return [
    ...wrapped(text).map((words, i) => (i === 0 ? head : indent) + words),
    ...under.map((words) => indent + paint.dim(words)),
  ];
}

/** What became of an alert, a line for each channel; empty if it isn't known. */
export function outcomeOf({ held, deliveries }: RecordedAlert): string[] {
  if (held !== null) return [`not delivered: ${held}`];
  return deliveries.map(({ sink, time, failure }) => {
    const when = formatDateTime(time);
    return failure === null ? `${when} delivered by ${sink}` : `${when} given up by ${sink}: ${failure}`;
  });
}
