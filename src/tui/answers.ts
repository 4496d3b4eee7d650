// Sorts what a terminal sends besides keys: its background (OSC 11), its report that it has drawn (DSR 5), and pastes. They are recognised
// whole or split, early or late; whatever is not exactly one of them is a key.

/** What a terminal can send besides keys. */
export type Answer =
  | { readonly kind: 'drawn' }
  /** Text between the marks of a bracketed paste, or a burst too fast for a hand; cut at `LONGEST_PASTE` bytes. */
  | { readonly kind: 'pasted'; readonly text: string }
  /** The background, each part from 0 to 1. */
  | { readonly kind: 'background'; readonly red: number; readonly green: number; readonly blue: number };

/** Asks for the background, with the terminator that every terminal knows. xterm, ctlseqs, "OSC Ps ; Pt": 11 and `?`. */
export const ASK_BACKGROUND = '\x1b]11;?\x1b\\';
/** Asks for the status; the answer follows everything written before. ECMA-48 8.3.35, DSR 5. */
export const ASK_DRAWN = '\x1b[5n';

/** Begin and end of a paste. xterm, ctlseqs, "Bracketed Paste Mode". */
const PASTE = { begin: '\x1b[200~', end: '\x1b[201~' } as const;
/** Bytes kept of a paste: more than a filter takes. */
const LONGEST_PASTE = 4096;
/** So many bytes at once without an escape are a paste from a terminal that doesn't mark pastes. */
const BURST = 512;
/** Characters of an answer that never ends: more of it are keys again. */
const LONGEST = 256;
const WHOLE = new RegExp(
  `\\x1b(?:\\[[0-4]n|\\[200~|\\]11;(?:([^\\x07\\x1b\\x9c]{0,${LONGEST}})(?:\\x07|\\x1b\\\\|\\x9c|(?=\\x1b[^\\\\]))|[^\\x07\\x1b\\x9c]{${LONGEST}}))`,
  'y',
);
/** The beginning of an answer at the end of a text. */
const PART = new RegExp(`\\x1b(?:\\[[0-4]?|\\[20{1,2}|\\](?:1(?:1(?:;[^\\x07\\x1b\\x9c]{0,${LONGEST - 1}}\\x1b?)?)?)?)?$`, 'y');
/** No key begins like this. */
const SURELY = '\x1b]11;';

/** Takes answers and pastes out of a terminal's input. Text is bytes as Latin-1. It holds at most the beginning of one answer. */
export class AnswerFilter {
  readonly #tell: (answer: Answer) => void;
  #held = '';
  /** An escape was just handed on as a key; what follows may be the rest of an answer. */
  #afterEscape = false;
  /** What was pasted so far; null while no paste is under way. */
  #paste: string | null = null;

  constructor(tell: (answer: Answer) => void) {
    this.#tell = tell;
  }

  /** Whether the beginning of an answer is held back: one that may be a key, or surely not. */
  get holding(): 'nothing' | 'maybe' | 'surely' {
    if (this.#paste !== null) return 'surely';
    if (this.#held === '') return 'nothing';
    return this.#isSure ? 'surely' : 'maybe';
  }

  /** Takes bytes. @param expecting an answer is under way, and a lone escape may be its beginning @returns the keys */
  take(bytes: string, expecting: boolean): string {
    const came = this.#held + bytes;
    this.#held = '';
    const after = this.#paste === null ? 0 : this.#pasteTo(came, 0);
    if (after < 0) return '';
    const rest = came.slice(after);
    if (bytes.length >= BURST && !rest.includes('\x1b')) {
      if (rest.length < BURST) return rest;
      this.#paste = rest.slice(0, LONGEST_PASTE);
      this.#endPaste();
      return '';
    }
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
        if (whole[0] === PASTE.begin) {
          this.#paste = '';
          at = this.#pasteTo(text, at);
          if (at < 0) return keys;
          continue;
        }
        this.#answered(whole);
        continue;
      }
      const part = matchAt(PART, text, start);
      const isAmbiguous = part !== null && (part[0].length === 1 || (part[0][1] === '[' && part[0].length < 4));
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

  /** Stops waiting for the rest. @returns what was held, as keys, unless it was surely an answer */
  release(): string {
    if (this.#paste !== null) this.#endPaste(); // its end never came
    const held = this.#isSure ? '' : this.#held;
    this.#held = '';
    this.#afterEscape = held === '\x1b';
    return held;
  }

  /** Takes the paste from `at` on. @returns where its end mark ends; -1 if it goes on */
  #pasteTo(text: string, at: number): number {
    const end = text.indexOf(PASTE.end, at);
    const tail = end >= 0 ? 0 : partOfEnd(text.slice(at));
    const to = end >= 0 ? end : text.length - tail;
    this.#paste = ((this.#paste ?? '') + text.slice(at, Math.min(to, at + LONGEST_PASTE))).slice(0, LONGEST_PASTE);
    if (end < 0) {
      this.#held = text.slice(to);
      return -1;
    }
    this.#endPaste();
    return end + PASTE.end.length;
  }

  #endPaste(): void {
    const text = Buffer.from(this.#paste ?? '', 'latin1').toString('utf8');
    this.#paste = null;
    this.#held = '';
    this.#tell({ kind: 'pasted', text });
  }

  get #isSure(): boolean {
    return (this.#afterEscape ? `\x1b${this.#held}` : this.#held).startsWith(SURELY);
  }

  /** Text from `at` on, without the escape that was put in front of it. */
  #plain(text: string, at: number, isBroken: boolean): string {
    return text.slice(isBroken && at === 0 ? 1 : at);
  }

  #answered([whole, colour]: RegExpExecArray): void {
    if (whole.endsWith('n')) this.#tell({ kind: 'drawn' });
    const background = colour === undefined ? null : parsed(colour);
    if (background !== null) this.#tell({ kind: 'background', ...background });
  }
}

/** How many characters at the end of a text may begin the end mark of a paste. */
function partOfEnd(text: string): number {
  for (let length = Math.min(PASTE.end.length - 1, text.length); length > 0; length--)
    if (text.endsWith(PASTE.end.slice(0, length))) return length;
  return 0;
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** A colour as XParseColor reads it: `rgb:` or `rgba:` with one to four digits a part, or `#` with six. Null for anything else. */
function parsed(text: string): { red: number; green: number; blue: number } | null {
  const parts = /^rgba?:([\da-f]{1,4})\/([\da-f]{1,4})\/([\da-f]{1,4})(?:\/[\da-f]{1,4})?$/i.exec(text)?.slice(1);
  const short = /^#([\da-f]{2})([\da-f]{2})([\da-f]{2})$/i.exec(text)?.slice(1);
  const found = parts ?? short;
  if (found === undefined) return null;
  const [red = 0, green = 0, blue = 0] = found.map((part) => Number.parseInt(part, 16) / (16 ** part.length - 1));
  return { red, green, blue };
}
