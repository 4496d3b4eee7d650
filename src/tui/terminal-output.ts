// Rewrites what blessed sends: the same cells in fewer bytes, and in 24-bit colours, which blessed can't hold.
//
// blessed keeps 9 bits for a colour, resets before each change, and returns to the start of a line before each move. Here numbers of the
// 256-colour table that are otherwise unused (slots) stand for 24-bit colours, and a sequence is written only where it changes what the
// terminal draws. That makes a busy frame a third smaller, which shows over SSH.

import { tableColour, to256 } from '../view/text/colours.ts';

/** First number used as a slot. The 16 below are the terminal's own colours, which blessed writes in another form. */
const FIRST = 16;
const LAST = 255;
/** SGR of the flags that blessed knows, by bit. */
const FLAGS = [1, 4, 5, 7, 8];

/** How the terminal draws text: flags by bit of `FLAGS`, colours as SGR parameters, '' for the terminal's own. */
interface Pen {
  flags: number;
  fg: string;
  bg: string;
}

const SEQUENCE = /\x1b\[([\d;]*)([mHC])/y;

/** The colours in use and the pen as the terminal has it. Lives as long as a screen. */
export class TerminalOutput {
  readonly #byColour = new Map<number, number>();
  readonly #slots = new Map<number, string>();
  readonly #have: Pen = { flags: 0, fg: '', bg: '' };
  readonly #want: Pen = { flags: 0, fg: '', bg: '' };
  readonly #saved: Pen = { flags: 0, fg: '', bg: '' };

  /** Forgets every colour, for another theme. The whole screen must be drawn again afterwards. */
  clear(): void {
    this.#byColour.clear();
    this.#slots.clear();
  }

  /** Number that stands for a colour (0xRRGGBB): its own in the 256-colour table, else a free slot, else the last slot. */
  numberOf(colour: number): number {
    const known = this.#byColour.get(colour);
    if (known !== undefined) return known;
    let number = to256(colour);
    if (tableColour(number) !== colour || this.#slots.has(number)) {
      number = this.#freeSlot();
      this.#slots.set(number, `2;${colour >> 16};${(colour >> 8) & 255};${colour & 255}`);
    }
    this.#byColour.set(colour, number);
    return number;
  }

  #freeSlot(): number {
    const taken = new Set(this.#byColour.values());
    for (let number = FIRST; number < LAST; number++) if (!taken.has(number) && !this.#slots.has(number)) return number;
    return LAST;
  }

  /** Rewrites output so that it draws the same cells. It begins and ends with the terminal's own pen, as each of blessed's writes does. */
  rewrite(output: string): string {
    const have = this.#have;
    const want = this.#want;
    let out = '';
    let move = '';
    let at = 0;
    while (at < output.length) {
      const next = output.indexOf('\x1b', at);
      if (next !== at) {
        const text = next < 0 ? output.slice(at) : output.slice(at, next);
        out += move + this.#change() + text;
        move = '';
        at += text.length;
        continue;
      }
      SEQUENCE.lastIndex = at;
      const match = SEQUENCE.exec(output);
      if (match === null) {
        // Anything else (clear, modes, saving and restoring the cursor) gets the pen that it would have had.
        const rest = /^\x1b(?:\[[?>]?[\d;]*[ -/]*[@-~]|[()][0-9A-B]|[=>78M]|.)/s.exec(output.slice(at, at + 64))?.[0] ?? '\x1b';
        out += move + this.#change() + rest;
        move = '';
        if (rest === '\x1b7') Object.assign(this.#saved, have);
        if (rest === '\x1b8') {
          // restoring the cursor restores the pen that was saved with it (DECRC)
          Object.assign(have, this.#saved);
          Object.assign(want, this.#saved);
        }
        at += rest.length;
        continue;
      }
      const [whole, parameters = '', final] = match;
      if (final === 'm') read(want, parameters);
      else if (final === 'H') move = parameters.endsWith(';1') ? `\x1b[${parameters.slice(0, -2)}H` : whole;
      else move += parameters === '1' ? '\x1b[C' : whole;
      at += whole.length;
    }
    want.flags = 0;
    want.fg = '';
    want.bg = '';
    return out + move + this.#change();
  }

  /** The shortest sequence from the pen that the terminal has to the one wanted. */
  #change(): string {
    const have = this.#have;
    const want = this.#want;
    if (have.flags === want.flags && have.fg === want.fg && have.bg === want.bg) return '';
    if (want.flags === 0 && want.fg === '' && want.bg === '') {
      Object.assign(have, want);
      return '\x1b[m';
    }
    const codes: (string | number)[] = [];
    if ((have.flags & ~want.flags) !== 0) {
      codes.push(0);
      have.flags = 0;
      have.fg = '';
      have.bg = '';
    }
    for (const [bit, code] of FLAGS.entries()) if ((want.flags & ~have.flags & (1 << bit)) !== 0) codes.push(code);
    if (want.bg !== have.bg) codes.push(want.bg === '' ? 49 : this.#colour(want.bg));
    if (want.fg !== have.fg) codes.push(want.fg === '' ? 39 : this.#colour(want.fg));
    Object.assign(have, want);
    return `\x1b[${codes.join(';')}m`;
  }

  #colour(parameters: string): string {
    const number = parameters.slice(5);
    const slot = parameters.length > 5 ? this.#slots.get(Number(number)) : undefined;
    return slot === undefined ? parameters : `${parameters.slice(0, 3)}${slot}`;
  }
}

/** Applies the parameters of one SGR sequence, in the forms that blessed writes. */
function read(pen: Pen, parameters: string): void {
  const codes = parameters.split(';');
  for (let i = 0; i < codes.length; i++) {
    const code = Number(codes[i]);
    const flag = FLAGS.indexOf(code);
    if (code === 0) {
      pen.flags = 0;
      pen.fg = '';
      pen.bg = '';
    } else if (flag >= 0) pen.flags |= 1 << flag;
    else if (code === 38 || code === 48) {
      const colour = `${code};5;${codes[i + 2]}`;
      if (code === 38) pen.fg = colour;
      else pen.bg = colour;
      i += 2;
    } else if (code === 39) pen.fg = '';
    else if (code === 49) pen.bg = '';
    else if ((code >= 30 && code < 38) || (code >= 90 && code < 98)) pen.fg = String(code);
    else if ((code >= 40 && code < 48) || (code >= 100 && code < 108)) pen.bg = String(code);
  }
}
