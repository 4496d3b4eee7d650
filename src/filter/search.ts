// What a bare word searches: app, host, address, port and category of a flow, at either end.

import type { TextMatcher } from './pattern.ts';
import type { FilterSubject } from './subject.ts';

type Search = (subject: FilterSubject) => boolean;

/** Searches for a text, without regard to case. Digits are also a whole port, and `name:443` is an end with that port. */
export function searchText(text: string): Search {
  const wanted = text.toLowerCase();
  const contains: TextMatcher = (value) => value.toLowerCase().includes(wanted);
  const port = /^\d{1,5}$/.test(wanted) ? Number(wanted) : -1;
  const end = endOf(wanted);
  return (subject) =>
    anyText(subject, contains) || (port >= 0 && hasPort(subject, port)) || (end !== null && hasEnd(subject, end));
}

/** Searches for a regular expression; ports count as text. */
export function searchPattern(matches: TextMatcher): Search {
  return (subject) =>
    anyText(subject, matches) ||
    (isNumber(subject.local?.port) && matches(String(subject.local.port))) ||
    (isNumber(subject.remote?.port) && matches(String(subject.remote.port)));
}

/** A name or address with a port behind it; the name is empty in `:443`. */
interface End {
  readonly name: string;
  readonly port: number;
}

function endOf(text: string): End | null {
  const parts = /^(\[[0-9a-f:.]+\]|[^:]*):(\d{1,5})$/.exec(text);
  if (parts === null) return null;
  return { name: (parts[1] as string).replace(/^\[|\]$/g, ''), port: Number(parts[2]) };
}

function anyText(subject: FilterSubject, matches: TextMatcher): boolean {
  return (
    is(subject.app, matches) ||
    is(subject.host, matches) ||
    is(subject.remote?.address, matches) ||
    is(subject.local?.address, matches) ||
    is(subject.category, matches) ||
    is(subject.peerApp, matches)
  );
}

function hasPort(subject: FilterSubject, port: number): boolean {
  return subject.local?.port === port || subject.remote?.port === port;
}

function hasEnd(subject: FilterSubject, end: End): boolean {
  const { local, remote, host } = subject;
  if (remote?.port === end.port && (remote.address.includes(end.name) || (host?.toLowerCase().includes(end.name) ?? false)))
    return true;
  return local?.port === end.port && local.address.includes(end.name);
}

function is(text: string | null | undefined, matches: TextMatcher): boolean {
  return text !== null && text !== undefined && matches(text);
}

function isNumber(value: number | undefined): value is number {
  return value !== undefined;
}
