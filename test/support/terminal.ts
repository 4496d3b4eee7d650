// A terminal without a tty: @xterm/headless behind a stream that says it is one. Frames are read back as text, cells with their colours.

import { readFileSync } from 'node:fs';
import { PassThrough, Writable } from 'node:stream';
import xterm from '@xterm/headless';
import { type OutsideEffect, Tui, type TuiOptions } from '../../src/tui/tui.ts';
import { parseTheme } from '../../src/view/text/theme.ts';
import { FakeClock } from './fake-clock.ts';

/** Output stream of a fake terminal; counts what is written, and may be made to lag. */
export class FakeOutput extends Writable {
  readonly isTTY = true;
  columns: number;
  rows: number;
  bytes = 0;
  writes = 0;
  /** Everything written, for tests of what leaves the process. */
  log = '';
  /** While true, writes are taken and not answered. */
  stalled = false;
  #held: (() => void)[] = [];
  readonly #terminal: InstanceType<typeof xterm.Terminal>;

  constructor(terminal: InstanceType<typeof xterm.Terminal>, columns: number, rows: number) {
    super({ decodeStrings: false, highWaterMark: 16_384 });
    this.#terminal = terminal;
    this.columns = columns;
    this.rows = rows;
  }

  override _write(chunk: string | Buffer, _encoding: string, done: () => void): void {
    const text = chunk.toString();
    this.bytes += Buffer.byteLength(text);
    this.writes++;
    this.log += text;
    this.#terminal.write(text);
    if (this.stalled) this.#held.push(done);
    else done();
  }

  /** Answers all writes that were held. */
  release(): void {
    this.stalled = false;
    const held = this.#held;
    this.#held = [];
    for (const done of held) done();
  }
}

/** Input stream of a fake terminal. */
export class FakeInput extends PassThrough {
  readonly isTTY = true;
  isRaw = false;
  setRawMode(on: boolean): this {
    this.isRaw = on;
    return this;
  }
}

/** A cell with its look. */
export interface Cell {
  readonly text: string;
  readonly bold: boolean;
  readonly reverse: boolean;
  /** 0xRRGGBB, palette number, or -1 for the terminal's own. */
  readonly fg: number;
  readonly bg: number;
}

/** A Tui on a fake terminal. Close it in every test. */
export class Stage {
  readonly clock = new FakeClock();
  readonly terminal: InstanceType<typeof xterm.Terminal>;
  readonly input = new FakeInput();
  readonly output: FakeOutput;
  readonly effects: OutsideEffect[] = [];
  readonly tui: Tui;

  constructor(columns: number, rows: number, options: Partial<TuiOptions> = {}, listens = true) {
    this.terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true });
    this.output = new FakeOutput(this.terminal, columns, rows);
    this.tui = new Tui({
      input: this.input as unknown as NodeJS.ReadStream,
      output: this.output as unknown as NodeJS.WriteStream,
      theme: ourTheme('netmon'),
      colour: 'true',
      clock: this.clock,
      ...options,
    });
    if (listens) this.listen();
  }

  /** Has the screen read the terminal, and collects the effects that it hands on. */
  listen(): void {
    this.tui.listen((effect) => this.effects.push(effect));
  }

  /** Types keys, one chunk each, and draws. */
  async press(...keys: string[]): Promise<void> {
    for (const key of keys) {
      this.input.write(key);
      await turn();
    }
    this.tui.flush();
    await this.settle();
  }

  /** Shows a snapshot and draws. */
  async show(...args: Parameters<Tui['show']>): Promise<void> {
    this.tui.show(...args);
    this.tui.flush();
    await this.settle();
  }

  /** Resizes the terminal as a window does. */
  async resize(columns: number, rows: number): Promise<void> {
    this.terminal.resize(columns, rows);
    this.output.columns = columns;
    this.output.rows = rows;
    const drawn = this.tui.frames;
    this.output.emit('resize');
    while (this.tui.frames === drawn) await new Promise((done) => setTimeout(done, 5));
    await this.settle();
  }

  /** Waits until the terminal has taken everything that was written. */
  async settle(): Promise<void> {
    await turn();
    await turn();
    await new Promise<void>((done) => this.terminal.write('', done));
  }

  line(y: number): string {
    return (
      this.terminal.buffer.active
        .getLine(this.terminal.buffer.active.baseY + y)
        ?.translateToString()
        .trimEnd() ?? ''
    );
  }

  /** The whole screen, trailing spaces gone. */
  text(): string {
    return `${Array.from({ length: this.terminal.rows }, (_, y) => this.line(y)).join('\n')}\n`;
  }

  cell(x: number, y: number): Cell {
    const cell = this.terminal.buffer.active.getLine(this.terminal.buffer.active.baseY + y)?.getCell(x);
    if (cell === undefined) throw new Error(`no cell at ${x},${y}`);
    return {
      text: cell.getChars(),
      bold: cell.isBold() !== 0,
      reverse: cell.isInverse() !== 0,
      fg: cell.isFgDefault() ? -1 : cell.getFgColor(),
      bg: cell.isBgDefault() ? -1 : cell.getBgColor(),
    };
  }

  close(): void {
    this.tui.close();
  }
}

/** Lets input events and the deferred write of a frame happen. */
export function turn(): Promise<void> {
  return new Promise((done) => setImmediate(done));
}

/** One of the themes in `themes/`. */
export function ourTheme(name: string) {
  return parseTheme(name, readFileSync(new URL(`../../themes/${name}.theme`, import.meta.url), 'utf8'));
}
