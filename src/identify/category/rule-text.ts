// Reads the hand-written rules: `[Category]` headings, and under them lines of domains or names.

import { CATEGORY_NAMES, type CategoryName, categoryIndex } from './category-names.ts';

/** A domain rule as it is written. */
export interface DomainLine {
  readonly category: number;
  /** Under a heading `[X, shared]`. */
  readonly shared: boolean;
  readonly service: string;
  readonly suffix: string;
}

/** Domains of a rule text. @throws Error where the text is not what the format allows: it is our own, a test reads it all */
export function* domainLines(text: string): Generator<DomainLine> {
  let service = '';
  for (const { category, shared, line } of lines(text)) {
    const [, head, rest] = /^(?:(\S.*?):(?= |$))?(.*)$/.exec(line) as unknown as [string, string | undefined, string];
    service = head ?? service;
    for (const word of rest.split(' ')) {
      if (word === '') continue;
      for (const suffix of spelledOut(word)) yield { category, shared, service, suffix };
    }
  }
}

/** Names between commas, with their category. */
export function* nameLines(text: string): Generator<{ readonly category: number; readonly name: string }> {
  for (const { category, line } of lines(text)) for (const name of line.split(',')) yield { category, name: name.trim() };
}

/** `{a,b}.example` is `a.example` and `b.example`. */
function spelledOut(word: string): string[] {
  const match = /^([^{}]*)\{([^{}]+)\}([^{}]*)$/.exec(word);
  if (match === null) return [word];
  return (match[2] as string).split(',').map((part) => `${match[1]}${part}${match[3]}`);
}

function* lines(text: string): Generator<{ category: number; shared: boolean; line: string }> {
  let category = -1;
  let shared = false;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const heading = /^\[(.+?)(, shared)?\]$/.exec(line);
    if (heading === null) yield { category, shared, line };
    else {
      const name = heading[1] as CategoryName;
      if (!CATEGORY_NAMES.includes(name)) throw new Error(`no such category: ${name}`);
      category = categoryIndex(name);
      shared = heading[2] !== undefined;
    }
  }
}
