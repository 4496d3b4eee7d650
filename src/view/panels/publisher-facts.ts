// Who made a program, as facts of details.

import { type Publisher, UNVOUCHED } from '../../model/terms.ts';
import type { CellContext } from '../tables/column.ts';
import { shown } from '../tables/masking.ts';
import { publisherText } from '../tables/publisher.ts';
import type { Fact } from './fact.ts';

/** Who made an executable, and its SHA-256 if the user asked for that. @param label before the first line; empty below a process */
export function publisherFacts(publisher: Publisher | null, context: CellContext, label = 'publisher'): readonly Fact[] {
  if (publisher === null) return [];
  const { kind, digest } = publisher;
  const text = publisherText(publisher, context);
  const role = UNVOUCHED.includes(kind) ? 'warn' : kind === 'unknown' || label === '' ? 'dim' : 'text';
  return [
    [label, label === '' ? `publisher: ${text}` : text, role],
    ...(digest === null ? [] : [['SHA-256', shown(digest, context), 'dim'] as const]),
  ];
}
