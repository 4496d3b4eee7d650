// Regular expressions that cannot run away: a set of states walks over the text once (Thompson 1968, Pike), so that a match costs at
// most the characters of the text times the steps of the program, whatever the pattern. Case never counts.

import { type CharacterClass, PatternError, type PatternNode, parsePattern, STEP, type StepKind } from './pattern.ts';

/** Longest program, in steps. With texts cut at `LONGEST_TEXT` characters it bounds what one match can cost. */
const MOST_STEPS = 600;
/** Longest part of a text that is looked at. */
const LONGEST_TEXT = 256;
/** Answers kept; apps, hosts and addresses repeat from flow to flow and from frame to frame. */
const MOST_ANSWERS = 4096;

interface Step {
  readonly kind: StepKind;
  readonly code: number;
  readonly characters: CharacterClass | null;
  /** The step behind this one, and the other way of a SPLIT. */
  next: number;
  other: number;
}

/** Whether a text holds a match anywhere. */
export type TextMatcher = (text: string) => boolean;

/**
 * Compiles a regular expression.
 *
 * @throws PatternError where it is none, needs backtracking, or is too large.
 */
export function compilePattern(source: string): TextMatcher {
  const program = new Program(parsePattern(source));
  const answers = new Map<string, boolean>();
  return (text) => {
    let answer = answers.get(text);
    if (answer === undefined) {
      if (answers.size >= MOST_ANSWERS) answers.clear();
      answer = program.matches(text.slice(0, LONGEST_TEXT).toLowerCase());
      answers.set(text, answer);
    }
    return answer;
  };
}

/** The steps of a pattern and the room that a walk over them needs. */
class Program {
  private readonly steps: Step[] = [];
  /** Nodes written so far: a repeat of nothing adds no steps, and is bounded by this. */
  private written = 0;
  private readonly seen: Int32Array;
  private readonly current: Int32Array;
  private readonly following: Int32Array;
  private count = 0;
  private generation = 0;

  constructor(node: PatternNode) {
    this.write(node);
    this.push(STEP.MATCH);
    this.seen = new Int32Array(this.steps.length);
    this.current = new Int32Array(this.steps.length);
    this.following = new Int32Array(this.steps.length);
  }

  /** Walks over a lower-case text. */
  matches(text: string): boolean {
    let states = 0;
    let before = -1;
    for (let at = 0; ; ) {
      const code = text.codePointAt(at) ?? -1;
      // Steps are entered when the characters on both sides are known: the assertions look at them.
      this.generation++;
      this.count = 0;
      for (let i = 0; i < states; i++) if (this.enter(this.current[i] as number, before, code)) return true;
      if (this.enter(0, before, code)) return true;
      if (code < 0) return false;
      states = 0;
      for (let i = 0; i < this.count; i++) {
        const step = this.steps[this.following[i] as number] as Step;
        if (takes(step, code)) this.current[states++] = step.next;
      }
      before = code;
      at += code > 0xffff ? 2 : 1;
    }
  }

  /** Follows the steps that take no character; notes those that do in `following`. @returns true at the end of the program. */
  private enter(at: number, before: number, code: number): boolean {
    if (this.seen[at] === this.generation) return false;
    this.seen[at] = this.generation;
    const step = this.steps[at] as Step;
    switch (step.kind) {
      case STEP.MATCH:
        return true;
      case STEP.SPLIT:
        return this.enter(step.next, before, code) || this.enter(step.other, before, code);
      case STEP.START:
        return before < 0 && this.enter(step.next, before, code);
      case STEP.END:
        return code < 0 && this.enter(step.next, before, code);
      case STEP.BOUNDARY:
      case STEP.INSIDE:
        return (isWord(before) !== isWord(code)) === (step.kind === STEP.BOUNDARY) && this.enter(step.next, before, code);
      default:
        this.following[this.count++] = at;
        return false;
    }
  }

  private push(kind: StepKind, code = 0, characters: CharacterClass | null = null): Step {
    if (this.steps.length >= MOST_STEPS) throw new PatternError('this regular expression is too large', 0);
    const step: Step = { kind, code, characters, next: this.steps.length + 1, other: this.steps.length + 1 };
    this.steps.push(step);
    return step;
  }

  /** Writes a node behind the steps that are there; what follows it comes directly behind. */
  private write(node: PatternNode): void {
    if (++this.written > 10 * MOST_STEPS) throw new PatternError('this regular expression is too large', 0);
    if (node.kind === 'step') this.push(node.step, node.code, node.characters);
    else if (node.kind === 'sequence') for (const part of node.nodes) this.write(part);
    else if (node.kind === 'choice') this.writeChoice(node.nodes);
    else this.writeRepeat(node.node, node.least, node.most);
  }

  private writeChoice(nodes: readonly PatternNode[]): void {
    const ends: Step[] = [];
    for (const node of nodes.slice(0, -1)) {
      const split = this.push(STEP.SPLIT);
      this.write(node);
      ends.push(this.push(STEP.SPLIT));
      split.other = this.steps.length;
    }
    this.write(nodes.at(-1) as PatternNode);
    for (const end of ends) end.next = end.other = this.steps.length;
  }

  private writeRepeat(node: PatternNode, least: number, most: number): void {
    for (let i = 0; i < least; i++) this.write(node);
    const splits: Step[] = [];
    const from = this.steps.length;
    const endless = most === Number.POSITIVE_INFINITY;
    for (let i = least; i < (endless ? least + 1 : most); i++) {
      splits.push(this.push(STEP.SPLIT));
      this.write(node);
    }
    if (endless) this.push(STEP.SPLIT).next = from;
    for (const split of splits) split.other = this.steps.length;
  }
}

function takes(step: Step, code: number): boolean {
  if (step.kind === STEP.CHAR) return step.code === code;
  if (step.kind === STEP.ANY || step.characters === null) return true;
  for (const [low, high] of step.characters.ranges) if (code >= low && code <= high) return !step.characters.negated;
  return step.characters.negated;
}

function isWord(code: number): boolean {
  return (code >= 48 && code <= 57) || code === 95 || (code >= 97 && code <= 122);
}
