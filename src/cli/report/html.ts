// HTML templates that escape every value except the output of other templates. Nothing else writes outside text into HTML.

import { sanitize } from '../../net/text.ts';

/** A piece of safe HTML. */
export class Markup {
  readonly text: string;

  /** @param text our own HTML, never text from outside */
  constructor(text: string) {
    this.text = text;
  }
}

/** What a template accepts. It strips and escapes text, and omits false and null. */
export type Piece = string | number | false | null | Markup | readonly Markup[];

/** An HTML template. Attributes need double quotes. */
export function html(strings: TemplateStringsArray, ...pieces: readonly Piece[]): Markup {
  let text = strings[0] as string;
  for (const [at, piece] of pieces.entries()) text += pieceText(piece) + (strings[at + 1] as string);
  return new Markup(text);
}

function pieceText(piece: Piece): string {
  if (piece === null || piece === false) return '';
  if (piece instanceof Markup) return piece.text;
  if (typeof piece === 'number') return String(piece);
  if (typeof piece === 'string') return escapeHtml(piece);
  return piece.map((one) => one.text).join('');
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Escapes text for an element or a quoted attribute, and strips control characters. */
function escapeHtml(text: string): string {
  return sanitize(text).replace(/[&<>"']/g, (sign) => ESCAPES[sign] as string);
}
