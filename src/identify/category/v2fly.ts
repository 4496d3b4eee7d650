// Imports domain lists in the format of v2fly/domain-list-community: `domain:`, `full:`, `keyword:`, bare domains, `include:` of a file beside
// the list, `@attributes` and comments. It skips and counts `regexp:` lines: we don't run somebody else's pattern on every host.

import { NetmonError } from '../../model/errors.ts';
import { sanitize } from '../../net/text.ts';

/** A list's text and path. */
export interface ListText {
  readonly path: string;
  readonly text: string;
}

/** The contents of a list and everything it includes. */
export interface DomainList {
  /** `domain:`, `full:` or `keyword:` and a name, as `UserRules` takes them, without duplicates. */
  readonly entries: readonly string[];
  /** Number of skipped `regexp:` lines. */
  readonly patterns: number;
}

interface Entry {
  readonly text: string;
  readonly attributes: readonly string[];
}

interface Include {
  readonly name: string;
  readonly line: number;
  readonly attributes: readonly string[];
}

interface ListFile {
  readonly path: string;
  readonly entries: readonly Entry[];
  readonly includes: readonly Include[];
  readonly patterns: number;
}

const MAX_FILES = 2000;
/** Most pairs of list and attributes to expand. Lists that include each other twice, 32 deep, would make 2^32 of them. */
const MAX_TAKEN = 10_000;
const INCLUDES_HINT = 'include each list once, or give it fewer attributes';
const MAX_ENTRIES = 100_000;
const MAX_DEPTH = 32;
const DOMAIN = /^(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/;
const KEYWORD = /^[a-z0-9._-]{1,253}$/;
const LIST_NAME = /^[a-z0-9!_-]{1,64}$/i;

/**
 * Reads a list and the lists it includes.
 *
 * `include:x @a @-b` takes the entries of `x` that have `a` and lack `b`. Affiliations (`&name`), which add a line to another list too, are
 * accepted but not followed.
 *
 * @param readInclude returns a list of the same folder by name; null if there is none
 * @throws NetmonError `usage` with file and line for an invalid line, a list that includes itself, more than 2000 files or 100,000 entries
 */
export function importV2fly(list: ListText, readInclude: (name: string) => ListText | null): DomainList {
  const files = new Map<string, ListFile>();
  const entries = new Set<string>();
  const counted = new Set<ListFile>();
  /** Pairs of list and attributes already taken. */
  const taken = new Set<string>();
  let patterns = 0;

  const take = (file: ListFile, filter: readonly string[], trail: readonly string[]): void => {
    const key = [file.path, ...filter].join(' ');
    if (taken.has(key)) return;
    if (taken.size >= MAX_TAKEN)
      throw new NetmonError('usage', `${file.path}: its lists include one another too often`, INCLUDES_HINT);
    taken.add(key);
    if (!counted.has(file)) patterns += file.patterns;
    counted.add(file);
    for (const { text, attributes } of file.entries) if (passes(attributes, filter)) entries.add(text);
    if (entries.size > MAX_ENTRIES) throw new NetmonError('usage', `${file.path} has more than ${MAX_ENTRIES} entries`);
    for (const include of file.includes) {
      const refuse = (why: string) => mistake(file.path, include.line, `${why}: include:${include.name}`);
      if (trail.includes(include.name)) throw refuse('the list includes itself');
      if (trail.length >= MAX_DEPTH) throw refuse(`lists are nested more than ${MAX_DEPTH} deep`);
      let inner = files.get(include.name);
      if (inner === undefined) {
        if (files.size >= MAX_FILES) throw refuse(`more than ${MAX_FILES} lists`);
        const found = readInclude(include.name);
        if (found === null) throw refuse('there is no such list in the same folder');
        inner = parse(found);
        files.set(include.name, inner);
      }
      take(inner, [...new Set([...filter, ...include.attributes])].sort(), [...trail, include.name]);
    }
  };

  take(parse(list), [], [list.path.slice(list.path.lastIndexOf('/') + 1)]);
  return { entries: [...entries], patterns };
}

function passes(attributes: readonly string[], filter: readonly string[]): boolean {
  return filter.every((wanted) => (wanted.startsWith('-') ? !attributes.includes(wanted.slice(1)) : attributes.includes(wanted)));
}

function parse({ path, text }: ListText): ListFile {
  const entries: Entry[] = [];
  const includes: Include[] = [];
  let patterns = 0;
  for (const [at, whole] of text
    .replace(/^\ufeff/, '')
    .split('\n')
    .entries()) {
    const [rule, ...marks] = (whole.split('#', 1)[0] as string).trim().split(/\s+/) as [string, ...string[]];
    if (rule === '') continue;
    const line = at + 1;
    const attributes = attributesOf(marks, path, line);
    const colon = rule.indexOf(':');
    const kind = colon < 0 ? 'domain' : rule.slice(0, colon).toLowerCase();
    const value = rule.slice(colon + 1);
    const name = value.toLowerCase();
    if (kind === 'regexp') patterns++;
    else if (kind === 'include' && LIST_NAME.test(value)) includes.push({ name: value, line, attributes });
    else if (((kind === 'domain' || kind === 'full') && DOMAIN.test(name)) || (kind === 'keyword' && KEYWORD.test(name)))
      entries.push({ text: `${kind}:${name}`, attributes });
    else throw mistake(path, line, 'invalid line');
  }
  return { path, entries, includes, patterns };
}

function attributesOf(marks: readonly string[], path: string, line: number): string[] {
  const attributes: string[] = [];
  for (const mark of marks) {
    if (mark.startsWith('@') && mark.length > 1) attributes.push(mark.slice(1).toLowerCase());
    else if (!mark.startsWith('&')) throw mistake(path, line, 'the rule may be followed only by @attributes and &affiliations');
  }
  return attributes;
}

function mistake(path: string, line: number, what: string): NetmonError {
  return new NetmonError(
    'usage',
    `${sanitize(path)}:${line}: ${what}`,
    'write domain:NAME, full:NAME, keyword:TEXT or include:LIST, then @attributes; # starts a comment',
  );
}
