// Policies as files. Reads the one that a user wrote, and beside it the additions that this program made; writes a new one, or the additions,
// and never the user's.

import { NetmonError } from '../../model/errors.ts';
import type { AppPolicy, Policy, PolicyFile, Rule } from '../../model/policy.ts';
import { place, quoted } from '../../net/quote.ts';
import { sanitize } from '../../net/text.ts';
import { parseRule } from '../../watch/policy.ts';
import { nearest } from '../nearest.ts';
import { isTable, parseToml, tomlLines } from './config-file.ts';
import { trusted } from './find.ts';
import { tomlKey, tomlString } from './print-config.ts';
import { ownerOf, type Surroundings } from './surroundings.ts';

const MOST_APPS = 4096;
const MOST_RULES = 65_536;
const LONGEST_NAME = 512;
const EXAMPLES = '"example.com", "*.example.com:443", "10.0.0.0/8" or "AS36459"';

/** Where additions to a policy are: `home.toml` has `home.additions.toml`. */
function additionsPath(path: string): string {
  return `${path.replace(/\.toml$/, '')}.additions.toml`;
}

/**
 * Reads a policy with its additions. These must belong to the user or to root, and nobody else may write them: in a folder that others can write,
 * they could allow what the policy doesn't. A plain user may name any policy; under root it must be as safe.
 *
 * @throws NetmonError `usage` for a file that is not there, can't be trusted, or has a mistake: with line and column
 */
export function readPolicy(path: string, surroundings: Surroundings): PolicyFile {
  const isRoot = surroundings.euid === 0;
  const textOf = (file: string, named: string, isAny: boolean) => {
    const read = surroundings.files.read(file, isAny);
    if (read.kind === 'missing') return null;
    return isAny && read.kind === 'read' ? read.text : trusted(named, file, read, ownerOf(surroundings));
  };
  const text = textOf(path, `the policy ${quoted(path)}`, !isRoot);
  if (text === null)
    throw new NetmonError(
      'usage',
      `the policy ${quoted(path)} does not exist`,
      'to make one from history, type: netmon-tui policy init FILE',
    );
  const beside = additionsPath(path);
  const added = textOf(beside, `the file ${quoted(beside)}, which adds to the policy,`, false);
  const additions = added === null ? { strict: false, apps: new Map<string, AppPolicy>() } : policyOf(beside, added);
  return { path, additionsPath: beside, policy: mergedPolicies(policyOf(path, text), additions) };
}

/** Allows what either allows. What is strict, the first says. */
export function mergedPolicies(own: Policy, additions: Policy): Policy {
  const apps = new Map(own.apps);
  for (const [app, { allow, strict }] of additions.apps) {
    const known = apps.get(app);
    const texts = new Set(known?.allow.map(({ text }) => text));
    const added = allow.filter(({ text }) => !texts.has(text));
    if (known !== undefined && added.length === 0) continue;
    apps.set(app, { allow: [...(known?.allow ?? []), ...added], strict: known?.strict ?? (own.strict || strict) });
  }
  return { strict: own.strict, apps };
}

/**
 * Reads the text of a policy.
 *
 * @throws NetmonError `usage` that names the file, the line and the column
 */
export function policyOf(path: string, text: string): Policy {
  const contents = parseToml(path, text, 'any');
  const lines = tomlLines(text);
  const fault = (at: readonly string[], message: string, hint: string) =>
    new NetmonError('usage', `${place(path, lines.lineOf(at))}: ${message}`, hint);
  const strictOf = (at: readonly string[], value: unknown): boolean => {
    if (typeof value === 'boolean') return value;
    throw fault(at, `${quoted(at.join('.'))} is not true or false`, 'write for example: strict = true');
  };
  let strict = false;
  const apps = new Map<string, AppPolicy>();
  let rules = 0;
  for (const key of Object.keys(contents))
    if (key !== 'strict' && key !== 'app') throw unknownKey([key], ['app', 'strict'], fault);
  if (Object.hasOwn(contents, 'strict')) strict = strictOf(['strict'], contents['strict']);
  const tables = contents['app'] ?? {};
  if (!isTable(tables)) throw fault(['app'], '"app" is not a table', 'write for example: [app.curl]');
  if (Object.keys(tables).length > MOST_APPS) throw fault(['app'], `more than ${MOST_APPS} apps`, 'name fewer');
  for (const [app, table] of Object.entries(tables)) {
    const at = ['app', app];
    if (app === '' || app.length > LONGEST_NAME || sanitize(app) !== app)
      throw fault(at, `${quoted(app)} is not the name of an app`, 'write it as the screen shows it');
    if (!isTable(table)) throw fault(at, `${quoted(at.join('.'))} is not a table`, `write for example: [app.${tomlKey(app)}]`);
    for (const key of Object.keys(table))
      if (key !== 'allow' && key !== 'strict') throw unknownKey([...at, key], ['allow', 'strict'], fault);
    const list = table['allow'] ?? [];
    if (!Array.isArray(list) || !list.every((entry) => typeof entry === 'string'))
      throw fault(
        [...at, 'allow'],
        `${quoted([...at, 'allow'].join('.'))} is not a list`,
        'write for example: allow = ["example.com"]',
      );
    rules += list.length;
    if (rules > MOST_RULES) throw fault([...at, 'allow'], `more than ${MOST_RULES} entries`, 'name fewer');
    const allow = list.map((entry: string) => parseRule(entry) ?? entry);
    const wrong = allow.find((rule) => typeof rule === 'string');
    if (wrong !== undefined) throw entryFault(path, text, lines.lineOf([...at, 'allow']), wrong);
    apps.set(app, {
      allow: allow as Rule[],
      strict: Object.hasOwn(table, 'strict') ? strictOf([...at, 'strict'], table['strict']) : strict,
    });
  }
  return { strict, apps };
}

type Fault = (at: readonly string[], message: string, hint: string) => NetmonError;

function unknownKey(at: readonly string[], known: readonly string[], fault: Fault): NetmonError {
  const near = nearest(at.at(-1) ?? '', known);
  return fault(
    at,
    `unknown key ${quoted(at.join('.'))}`,
    `${near === null ? '' : `did you mean ${near}? `}known here: ${known.join(', ')}`,
  );
}

/** Finds an entry behind the key of its list. @param line of that key, from 1 */
function entryFault(path: string, text: string, line: number, entry: string): NetmonError {
  const rows = text.split('\n');
  const forms = [tomlString(entry), `'${entry}'`];
  for (let at = line - 1; at < rows.length; at++) {
    const column = Math.max(...forms.map((form) => (rows[at] as string).indexOf(form)));
    if (column < 0) continue;
    return new NetmonError(
      'usage',
      `${place(path, at + 1)}: ${quoted(entry)} is neither a host, an address nor a network`,
      `it is at column ${column + 1}; write for example ${EXAMPLES}`,
    );
  }
  return new NetmonError(
    'usage',
    `${place(path, line)}: ${quoted(entry)} is neither a host, an address nor a network`,
    `write for example ${EXAMPLES}`,
  );
}

/** An entry to write. */
export interface WrittenRule {
  readonly text: string;
  /** Behind it; empty for none. */
  readonly comment: string;
}

/** An app to write. */
export interface WrittenApp {
  readonly app: string;
  readonly strict: boolean;
  readonly allow: readonly WrittenRule[];
  /** Lines above its entries. */
  readonly comments: readonly string[];
}

/** The text of a policy, newline at the end. @param head lines of comment at its top */
export function policyText(head: readonly string[], apps: readonly WrittenApp[]): string {
  const lines = head.map(comment);
  for (const { app, strict, allow, comments } of apps) {
    lines.push('', `[app.${tomlKey(app)}]`, ...comments.map(comment));
    if (strict) lines.push('strict = true');
    const entries = allow.map(({ text }) => `  ${tomlString(text)},`);
    const width = Math.max(0, ...entries.map((entry) => (entry.length > 48 ? 0 : entry.length)));
    const rows = allow.map(({ comment: said }, i) =>
      said === '' ? (entries[i] as string) : `${(entries[i] as string).padEnd(width)} ${comment(said)}`,
    );
    if (rows.length === 0) lines.push('allow = []');
    else lines.push('allow = [', ...rows, ']');
  }
  return `${lines.join('\n')}\n`;
}

function comment(text: string): string {
  return `# ${sanitize(text)}`.trimEnd();
}

/** The text of the additions with one more entry; null if they have it already. */
export function withAddition(additions: Policy, app: string, rule: string): string | null {
  const apps = new Map([...additions.apps].map(([name, { allow }]) => [name, allow.map(({ text }) => text)]));
  const own = apps.get(app) ?? [];
  if (own.includes(rule)) return null;
  apps.set(app, [...own, rule]);
  const written = [...apps].map(([name, texts]) => ({
    app: name,
    strict: false,
    allow: texts.map((text) => ({ text, comment: '' })),
    comments: [],
  }));
  return policyText(
    ['Entries that were added on the screen or by --update. netmon-tui writes this file; the policy beside it is yours.'],
    written,
  );
}
