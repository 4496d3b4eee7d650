// Spans: runs of text with one meaning each. The panels speak in roles; which colour a role has is the theme's business.

/** What a run of text means. `selected` and `marked` colour whole rows; the others colour single words. */
export const ROLES = [
  'text',
  'dim',
  'title',
  'border',
  'focus',
  'header',
  'sorted',
  'rx',
  'tx',
  'spark',
  'meter1',
  'meter2',
  'meter3',
  'meter4',
  'meter5',
  'meter6',
  'name',
  'accent',
  'key',
  'selected',
  'pinned',
  'paused',
  'filtered',
  'warn',
  'error',
] as const;
export type Role = (typeof ROLES)[number];

/** Steps of a meter, from its beginning to its end. */
export const METER = ['meter1', 'meter2', 'meter3', 'meter4', 'meter5', 'meter6'] as const satisfies readonly Role[];

/** A run of cells in one role. The text is sanitised and holds no escape; its width is `displayWidth(text)`. */
export interface Span {
  readonly text: string;
  readonly role: Role;
}

/** One row of cells. */
export type Line = readonly Span[];

/** Makes a span. */
export function span(text: string, role: Role = 'text'): Span {
  return { text, role };
}

/** The text of a line without its roles. */
export function plain(line: Line): string {
  let text = '';
  for (const part of line) text += part.text;
  return text;
}
