// A range of recorded time as it is typed: `--since 24h`, `--until yesterday`. Days, weeks, months and years are those of the calendar in the
// user's zone. Pure.

import { NetmonError } from '../../model/errors.ts';
import type { TimeRange } from '../../model/history.ts';
import { quoted } from '../../net/quote.ts';
import { MINUTE_MS, stepped, type Zoom } from '../../view/text/calendar.ts';
import { parseDuration } from '../config/value-types.ts';

/** Words for parts of the calendar: which part, and how many of them away from now. */
const CALENDAR: ReadonlyMap<string, readonly [part: Zoom, by: number]> = new Map([
  ['today', ['day', 0]],
  ['yesterday', ['day', -1]],
  ['week', ['week', 0]],
  ['month', ['month', 0]],
  ['last-month', ['month', -1]],
  ['year', ['year', 0]],
]);
const WEEK_MS = 7 * 86_400_000;

/** Words that are times, for completions and messages. */
export const TIME_WORDS: readonly string[] = [...CALENDAR.keys(), 'all'];

/**
 * The range between two times as typed, on whole minutes, which is the finest that records have. A day, week, month or year after `--until` is
 * included whole; nothing ends after now.
 *
 * @param since null is `fallback`
 * @param until null is now
 * @throws NetmonError `usage`
 */
export function parseRange(since: string | null, until: string | null, now: number, fallback = '24h'): TimeRange {
  const end = Math.ceil((now + 1) / MINUTE_MS) * MINUTE_MS;
  const from = Math.floor(rangeOf('since', since ?? fallback, now).from / MINUTE_MS) * MINUTE_MS;
  const to = until === null ? end : Math.min(end, Math.ceil(rangeOf('until', until, now).to / MINUTE_MS) * MINUTE_MS);
  if (from >= end) throw usage(`--since ${quoted(since)} is not in the past`, `type for example: --since ${fallback}`);
  if (from >= to)
    throw usage(
      `--until ${quoted(until ?? 'now')} is not after --since ${quoted(since ?? fallback)}`,
      'the earlier time goes after --since',
    );
  return { from, to };
}

/**
 * The first moment of a time as typed, epoch ms.
 *
 * @param flag the flag that it was given for, for the message
 * @throws NetmonError `usage`
 */
export function parseMoment(flag: string, text: string, now: number): number {
  return rangeOf(flag, text, now).from;
}

/** From where a time begins to where it ends: the same for a moment, a day apart for a day. */
function rangeOf(flag: string, text: string, now: number): TimeRange {
  const range = named(text.trim().toLowerCase(), now) ?? dated(text.trim()) ?? ago(text.trim(), now);
  if (range !== null && Number.isFinite(range.from) && Number.isFinite(range.to)) return range;
  throw usage(
    `--${flag} ${quoted(text)} is not a time`,
    `type for example: 24h, 7d, ${TIME_WORDS.join(', ')}, 2026-11, 2026-11-01 or 2026-11-01T14:00`,
  );
}

function named(text: string, now: number): TimeRange | null {
  if (text === 'now') return at(now);
  if (text === 'all') return { from: 0, to: now };
  const [part, by] = CALENDAR.get(text) ?? [];
  return part === undefined ? null : whole(part, stepped(part, now, by as number));
}

/** `2026`, `2026-11`, `2026-11-01`, `2026-11-01T14:00[:05]` in local time, or RFC 3339 with its offset. */
function dated(text: string): TimeRange | null {
  const match = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,9})?)?([Zz]|[+-]\d\d:\d\d)?)?)?)?$/.exec(
    text,
  );
  if (match === null) return null;
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((part) => (part === undefined ? undefined : Number(part)));
  if (month < 1 || month > 12 || day < 1 || day > new Date(year, month, 0).getDate()) return null;
  if (hour > 23 || minute > 59 || second > 60) return null;
  if (match[7] !== undefined) return at(Date.parse(text.toUpperCase().replace(' ', 'T')));
  const from = new Date(year, month - 1, day, hour, minute, second).getTime();
  if (match[4] !== undefined) return at(from);
  return whole(match[3] !== undefined ? 'day' : match[2] !== undefined ? 'month' : 'year', from);
}

function ago(text: string, now: number): TimeRange | null {
  const weeks = /^(\d{1,4})w$/.exec(text);
  const ms = weeks === null ? parseDuration(text) : Number(weeks[1]) * WEEK_MS;
  return ms === null ? null : at(Math.max(0, now - ms));
}

function at(ms: number): TimeRange {
  return { from: ms, to: ms };
}

/** A part of the calendar that begins there. */
function whole(part: Zoom, from: number): TimeRange {
  return { from, to: stepped(part, from, 1) };
}

function usage(message: string, hint: string): NetmonError {
  return new NetmonError('usage', message, hint);
}
