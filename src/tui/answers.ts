// Answers of the terminal among the keys: its background (OSC 11) and its word that it has drawn (DSR 5). They are taken out wherever they come,
// whole or split, early or late; whatever is not exactly an answer is a key.

/** What a terminal can answer. */
export type Answer =
  | { readonly kind: 'drawn' }
  /** Parts of the background from 0 to 1. */
  | { readonly kind: 'background'; readonly red: number; readonly green: number; readonly blue: number };

/** Asks for the background, ended as every terminal knows it. xterm, ctlseqs, "OSC Ps ; Pt": 11 and `?`. */
export const ASK_BACKGROUND = '\x1b]11;?\x1b\\';
/** Asks whether all is well, which is answered after all that was written before. ECMA-48 8.3.35, DSR 5. */
export const ASK_DRAWN = '\x1b[5n';

/** Most that is taken out after the beginning of an answer that never ends. */
const LONGEST = 256;
const WHOLE = new RegExp(
  `\\x1b(?:\\[[0-4]n|\\]11;(?:([^\\x07\\x1b\\x9c]{0,${LONGEST}})(?:\\x07|\\x1b\\\\|\\x9c|(?=\\x1b[^\\\\]))|[^\\x07\\x1b\\x9c]{${LONGEST}}))`,
  'y',
);
/** The beginning of an answer, at the end of what came. */
const PART = new RegExp(`\\x1b(?:\\[[0-4]?|\\](?:1(?:1(?:;[^\\x07\\x1b\\x9c]{0,${LONGEST - 1}}\\x1b?)?)?)?)?$`, 'y');
/** What no key begins with. */
const SURELY = '\x1b]11;';

/** Sorts what comes from a terminal. Text is bytes as Latin-1. Holds no more than the beginning of one answer. */
export class AnswerFilter {
  readonly #tell: (answer: Answer) => void;
  #held = '';
  /** An escape was handed on as a key just now: what follows may be the rest of an answer. */
  #afterEscape = false;

  constructor(tell: (answer: Answer) => void) {
    this.#tell = tell;
  }

  /** Whether the beginning of an answer is held back, and whether it may be a key. */
  get holding(): 'nothing' | 'maybe' | 'surely' {
    if (this.#held === '') return 'nothing';
    return this.#isSure ? 'surely' : 'maybe';
  }

  /** @param expecting an answer is under way: then a lone escape may be its beginning. @returns what is no answer */
  take(bytes: string, expecting: boolean): string {
    const rest = this.#held + bytes;
    this.#held = '';
    const isBroken = this.#afterEscape && expecting && rest !== '' && rest[0] !== '\x1b';
    this.#afterEscape = false;
    const text = isBroken ? `\x1b${rest}` : rest;
    let keys = '';
    let at = 0;
    for (;;) {
      const start = text.indexOf('\x1b', at);
      if (start < 0) return keys + this.#plain(text, at, isBroken);
      const whole = matchAt(WHOLE, text, start);
      if (whole !== null) {
        keys += this.#plain(text.slice(0, start), at, isBroken);
        at = start + whole[0].length;
        this.#answered(whole);
        continue;
      }
      const part = matchAt(PART, text, start);
      const isAmbiguous = part !== null && (part[0].length === 1 || part[0][1] === '[');
      if (part !== null && (expecting || !isAmbiguous)) {
        keys += this.#plain(text.slice(0, start), at, isBroken);
        this.#held = isBroken && start === 0 ? part[0].slice(1) : part[0];
        if (isBroken && start === 0) this.#afterEscape = true;
        return keys;
      }
      keys += this.#plain(text.slice(0, start + 1), at, isBroken);
      at = start + 1;
    }
  }

  /** Gives up waiting for the rest. @returns what was held, as keys; nothing of what was an answer for sure */
  release(): string {
    const held = this.#isSure ? '' : this.#held;
    this.#held = '';
    this.#afterEscape = held === '\x1b';
    return held;
  }

  get #isSure(): boolean {
    return (this.#afterEscape ? `\x1b${this.#held}` : this.#held).startsWith(SURELY);
  }

  /** Text from `at` on, without the escape that was put before it. */
  #plain(text: string, at: number, isBroken: boolean): string {
    return text.slice(isBroken && at === 0 ? 1 : at);
  }

  #answered([whole, colour]: RegExpExecArray): void {
    if (whole.endsWith('n')) this.#tell({ kind: 'drawn' });
    const background = colour === undefined ? null : parsed(colour);
    if (background !== null) this.#tell({ kind: 'background', ...background });
  }
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** A colour as XParseColor reads it: `rgb:` or `rgba:` with one to four digits a part, or `#` with six. Null for what is none. */
function parsed(text: string): { red: number; green: number; blue: number } | null {
  const parts = /^rgba?:([\da-f]{1,4})\/([\da-f]{1,4})\/([\da-f]{1,4})(?:\/[\da-f]{1,4})?$/i.exec(text)?.slice(1);
  const short = /^#([\da-f]{2})([\da-f]{2})([\da-f]{2})$/i.exec(text)?.slice(1);
  const found = parts ?? short;
  if (found === undefined) return null;
  const [red = 0, green = 0, blue = 0] = found.map((part) => Number.parseInt(part, 16) / (16 ** part.length - 1));
  return { red, green, blue };
}
