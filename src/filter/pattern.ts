// Regular expressions in the subset that needs no backtracking: text -> tree.
// Refuses what a linear-time matcher cannot do (backreferences, lookaround) instead of guessing.
// Syntax after ECMA-262 section 22.2.1 with the flags i and u, without named groups and property escapes.

const MOST_REPEATS = 100;
const DEEPEST = 20;

/** What one step takes or asserts. CHAR, ANY and CLASS take a character. */
export const STEP = { CHAR: 0, ANY: 1, CLASS: 2, START: 3, END: 4, BOUNDARY: 5, INSIDE: 6, SPLIT: 7, MATCH: 8 } as const;
export type StepKind = (typeof STEP)[keyof typeof STEP];

/** Characters from `low` to `high`, both included, in lower case. */
export interface CharacterClass {
  readonly negated: boolean;
  readonly ranges: readonly (readonly [low: number, high: number])[];
}

/** A parsed pattern. */
export type PatternNode =
  | { readonly kind: 'step'; readonly step: StepKind; readonly code: number; readonly characters: CharacterClass | null }
  | { readonly kind: 'sequence'; readonly nodes: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly nodes: readonly PatternNode[] }
  | { readonly kind: 'repeat'; readonly node: PatternNode; readonly least: number; readonly most: number };

/** Why a pattern was refused, and at which of its characters. Never leaves this folder. */
export class PatternError extends Error {
  readonly column: number;

  constructor(message: string, column: number) {
    super(message);
    this.column = column;
  }
}

/**
 * Parses a regular expression.
 *
 * @throws PatternError where it is none, or needs backtracking.
 */
export function parsePattern(source: string): PatternNode {
  const parser = new PatternParser(source);
  const node = parser.choice(0);
  if (parser.at < source.length) throw new PatternError("this ')' closes nothing", parser.at);
  return node;
}

class PatternParser {
  at = 0;
  private readonly source: string;

  constructor(source: string) {
    this.source = source;
  }

  choice(depth: number): PatternNode {
    if (depth > DEEPEST) throw new PatternError('these groups are nested too deeply', this.at);
    const nodes = [this.sequence(depth)];
    while (this.take('|')) nodes.push(this.sequence(depth));
    return nodes.length === 1 ? (nodes[0] as PatternNode) : { kind: 'choice', nodes };
  }

  private sequence(depth: number): PatternNode {
    const nodes: PatternNode[] = [];
    while (this.at < this.source.length && !'|)'.includes(this.source.charAt(this.at))) {
      const from = this.at;
      nodes.push(this.repeated(this.atom(depth), from));
    }
    return { kind: 'sequence', nodes };
  }

  private repeated(node: PatternNode, from: number): PatternNode {
    const counts = this.counts();
    if (counts === null) return node;
    if (node.kind === 'step' && node.step >= STEP.START) throw new PatternError('there is nothing to repeat here', from);
    this.take('?'); // lazy: which match is found first makes no difference to whether there is one
    return { kind: 'repeat', node, least: counts[0], most: counts[1] };
  }

  private counts(): readonly [number, number] | null {
    if (this.take('*')) return [0, Number.POSITIVE_INFINITY];
    if (this.take('+')) return [1, Number.POSITIVE_INFINITY];
    if (this.take('?')) return [0, 1];
    const braces = /^\{(\d{1,4})(,?)(\d{0,4})\}/.exec(this.source.slice(this.at, this.at + 12));
    if (braces === null) return null;
    const least = Number(braces[1]);
    const most = braces[2] === '' ? least : braces[3] === '' ? Number.POSITIVE_INFINITY : Number(braces[3]);
    if (least > MOST_REPEATS || (most > MOST_REPEATS && most !== Number.POSITIVE_INFINITY))
      throw new PatternError(`a repeat counts to ${MOST_REPEATS} at most`, this.at);
    if (most < least) throw new PatternError('this repeat counts backwards', this.at);
    this.at += braces[0].length;
    return [least, most];
  }

  private atom(depth: number): PatternNode {
    const at = this.at;
    if (this.take('(')) return this.group(at, depth);
    if (this.take('[')) return one(STEP.CLASS, 0, this.characterClass(at));
    if (this.take('.')) return one(STEP.ANY);
    if (this.take('^')) return one(STEP.START);
    if (this.take('$')) return one(STEP.END);
    if (this.take('\\')) return this.escape(at);
    if ('*+?'.includes(this.source.charAt(at))) throw new PatternError('there is nothing to repeat here', at);
    return one(STEP.CHAR, fold(this.character()));
  }

  private group(opened: number, depth: number): PatternNode {
    if (this.take('?') && !this.take(':')) {
      const look = /^<?[=!]/.test(this.source.slice(this.at));
      throw new PatternError(
        look ? 'looking ahead or behind is not supported' : 'only plain groups and (?:...) are supported',
        opened,
      );
    }
    const inner = this.choice(depth + 1);
    if (!this.take(')')) throw new PatternError("this '(' is never closed", opened);
    // A group is wrapped so that `(^)*` is a repeat of a group, which is harmless, and not of an anchor.
    return { kind: 'sequence', nodes: [inner] };
  }

  private escape(at: number): PatternNode {
    const c = this.source.charAt(this.at);
    if (c === '') throw new PatternError('a backslash at the end escapes nothing', at);
    if (/[1-9k]/.test(c)) throw new PatternError('backreferences are not supported', at);
    if (c === 'b' || c === 'B') {
      this.at++;
      return one(c === 'b' ? STEP.BOUNDARY : STEP.INSIDE);
    }
    const named = NAMED.get(c);
    if (named !== undefined) {
      this.at++;
      return one(STEP.CLASS, 0, named);
    }
    return one(STEP.CHAR, fold(this.escapedCharacter(at)));
  }

  /** The character of an escape whose backslash was taken. */
  private escapedCharacter(at: number): number {
    const hex = /^(?:x([0-9a-f]{2})|u([0-9a-f]{4})|u\{([0-9a-f]{1,5})\})/i.exec(this.source.slice(this.at, this.at + 8));
    if (hex !== null) {
      this.at += hex[0].length;
      return Number.parseInt(hex[1] ?? hex[2] ?? hex[3] ?? '', 16);
    }
    const c = this.source.charAt(this.at);
    const control = 'tnrfv0'.indexOf(c);
    if (c !== '' && control >= 0) {
      this.at++;
      return '\t\n\r\f\v\0'.charCodeAt(control);
    }
    if (/[a-z0-9]/i.test(c)) throw new PatternError(`\\${c} is not supported`, at);
    return this.character();
  }

  private characterClass(opened: number): CharacterClass {
    const negated = this.take('^');
    const ranges: (readonly [number, number])[] = [];
    while (!this.take(']')) {
      if (this.at >= this.source.length) throw new PatternError("this '[' is never closed", opened);
      const at = this.at;
      const low = this.classMember(ranges);
      if (low === null || this.source.charAt(this.at) !== '-' || this.source.charAt(this.at + 1) === ']') {
        if (low !== null) addRange(ranges, low, low);
        continue;
      }
      this.at++;
      const high = this.classMember(ranges);
      if (high === null || high < low) throw new PatternError('this range runs backwards', at);
      addRange(ranges, low, high);
    }
    return { negated, ranges };
  }

  /** One character of a class; null when it was a named class such as `\d`, whose ranges were added. */
  private classMember(ranges: (readonly [number, number])[]): number | null {
    const at = this.at;
    if (!this.take('\\')) return this.character();
    const c = this.source.charAt(this.at);
    const named = NAMED.get(c);
    if (named === undefined) return this.escapedCharacter(at);
    if (named.negated) throw new PatternError(`\\${c} inside of [ ] is not supported`, at);
    this.at++;
    ranges.push(...named.ranges);
    return null;
  }

  private character(): number {
    const code = this.source.codePointAt(this.at);
    if (code === undefined) throw new PatternError('something is missing at the end', this.at);
    this.at += code > 0xffff ? 2 : 1;
    return code;
  }

  private take(token: string): boolean {
    if (!this.source.startsWith(token, this.at)) return false;
    this.at += token.length;
    return true;
  }
}

const DIGITS: CharacterClass['ranges'] = [[48, 57]];
const WORD: CharacterClass['ranges'] = [
  [48, 57],
  [95, 95],
  [97, 122],
];
const SPACES: CharacterClass['ranges'] = [
  [9, 13],
  [32, 32],
  [0xa0, 0xa0],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
];
const NAMED = new Map<string, CharacterClass>([
  ['d', { negated: false, ranges: DIGITS }],
  ['D', { negated: true, ranges: DIGITS }],
  ['w', { negated: false, ranges: WORD }],
  ['W', { negated: true, ranges: WORD }],
  ['s', { negated: false, ranges: SPACES }],
  ['S', { negated: true, ranges: SPACES }],
]);

/** A range, and the lower case of the part of it that is `A` to `Z`; texts are lower-case when they are matched. */
function addRange(ranges: (readonly [number, number])[], low: number, high: number): void {
  ranges.push([low, high]);
  const from = Math.max(low, 65);
  const to = Math.min(high, 90);
  if (from <= to) ranges.push([from + 32, to + 32]);
  if (low === high) ranges.push([fold(low), fold(low)]);
}

/** Lower case of a code point, where that is one code point. */
function fold(code: number): number {
  const lower = String.fromCodePoint(code).toLowerCase();
  const folded = lower.codePointAt(0) as number;
  return lower.length === (folded > 0xffff ? 2 : 1) ? folded : code;
}

function one(step: StepKind, code = 0, characters: CharacterClass | null = null): PatternNode {
  return { kind: 'step', step, code, characters };
}
