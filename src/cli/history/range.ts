// A stretch of recorded time as it is typed: `--since 24h`, `--until yesterday`. Days and months are the user's own, in local time. Pure.

import { NetmonError } from '../../model/errors.ts';
import { quoted } from '../../net/quote.ts';
import { parseDuration } from '../config/value-types.ts';

/** Epoch ms, `from` inside, `to` outside; both on a whole minute, which is what a record sums at the least. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

const MINUTE_MS = 60_000;
const EXAMPLES = '24h, 7d, today, yesterday, week, month, last-month, year, all, 2026-11, 2026-11-01 or 2026-11-01T14:00';

/**
 * The stretch between two times as typed. A day, week, month or year after `--until` is meant whole; nothing ends after now.
 *
 * @param since null is `fallback`
 * @param until null is now
 * @throws NetmonError `usage`
 */
export function parseStretch(since: string | null, until: string | null, now: number, fallback = '24h'): Stretch {
  const end = Math.ceil((now + 1) / MINUTE_MS) * MINUTE_MS;
  const from = Math.floor(momentOf('since', since ?? fallback, now).from / MINUTE_MS) * MINUTE_MS;
  const to = until === null ? end : Math.min(end, Math.ceil(momentOf('until', until, now).to / MINUTE_MS) * MINUTE_MS);
  if (from >= end) throw usage(`--since ${quoted(since)} is not in the past`, `type for example: --since ${fallback}`);
  if (from >= to)
    throw usage(
      `--until ${quoted(until ?? 'now')} is not after --since ${quoted(since ?? fallback)}`,
      'the earlier time comes after --since',
    );
  return { from, to };
}

/**
 * The first moment of what was typed.
 *
 * @param flag the flag it stood behind, for the message
 * @throws NetmonError `usage`
 */
export function parseMoment(flag: string, text: string, now: number): number {
  return momentOf(flag, text, now).from;
}

/** Where what was typed begins and where it ends: the same for a moment, a day apart for a day. */
function momentOf(flag: string, text: string, now: number): Stretch {
  const moment = words(text.trim().toLowerCase(), new Date(now)) ?? dated(text.trim()) ?? ago(text.trim(), now);
  if (moment !== null && Number.isFinite(moment.from) && Number.isFinite(moment.to)) return moment;
  throw usage(`--${flag} ${quoted(text)} is not a time`, `type for example: ${EXAMPLES}`);
}

function words(text: string, now: Date): Stretch | null {
  const [year, month, day] = [now.getFullYear(), now.getMonth(), now.getDate()];
  const monday = day - ((now.getDay() + 6) % 7);
  switch (text) {
    case 'now':
      return at(now.getTime());
    case 'today':
      return between(new Date(year, month, day), new Date(year, month, day + 1));
    case 'yesterday':
      return between(new Date(year, month, day - 1), new Date(year, month, day));
    case 'week':
      return between(new Date(year, month, monday), new Date(year, month, monday + 7));
    case 'month':
      return between(new Date(year, month, 1), new Date(year, month + 1, 1));
    case 'last-month':
      return between(new Date(year, month - 1, 1), new Date(year, month, 1));
    case 'year':
      return between(new Date(year, 0, 1), new Date(year + 1, 0, 1));
    case 'all':
      return { from: 0, to: now.getTime() };
    default:
      return null;
  }
}

/** `2026`, `2026-11`, `2026-11-01`, `2026-11-01T14:00[:05]` in local time, or RFC 3339 with its offset. */
function dated(text: string): Stretch | null {
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
  if (match[4] !== undefined) return at(new Date(year, month - 1, day, hour, minute, second).getTime());
  if (match[3] !== undefined) return between(new Date(year, month - 1, day), new Date(year, month - 1, day + 1));
  if (match[2] !== undefined) return between(new Date(year, month - 1, 1), new Date(year, month, 1));
  return between(new Date(year, 0, 1), new Date(year + 1, 0, 1));
}

function ago(text: string, now: number): Stretch | null {
  const weeks = /^(\d{1,4})w$/.exec(text);
  const ms = weeks === null ? parseDuration(text) : Number(weeks[1]) * 7 * 86_400_000;
  return ms === null ? null : at(Math.max(0, now - ms));
}

function at(ms: number): Stretch {
  return { from: ms, to: ms };
}

function between(from: Date, to: Date): Stretch {
  return { from: from.getTime(), to: to.getTime() };
}

function usage(message: string, hint: string): NetmonError {
  return new NetmonError('usage', message, hint);
}
