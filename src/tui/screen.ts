// Opens blessed's screen. This file deals with every trap of blessed, each named with its symptom; no other file works around blessed.

import type { ReadStream, WriteStream } from 'node:tty';
import blessed, { type Widgets } from 'blessed';
import { readOwnFile } from '../system/own-files.ts';
import type { Answer } from './answers.ts';
import { Keyboard } from './keyboard.ts';
import type { TerminalOutput } from './terminal-output.ts';

/** Members of blessed's program that its typings lack. */
interface Program {
  input: ReadStream;
  _write(text: string): unknown;
  _owrite(text: string): unknown;
  write(text: string): unknown;
  flush(): void;
  enableMouse(): void;
  disableMouse(): void;
  setMouse(modes: Readonly<Record<string, boolean>>, on: boolean): void;
  hideCursor(): void;
  on(event: 'keypress', listener: (char: string | undefined, key: BlessedKey) => void): void;
  on(event: 'mouse', listener: (event: BlessedMouse) => void): void;
}

/** A key as blessed reports it. */
export interface BlessedKey {
  readonly full?: string;
  readonly name?: string;
  readonly sequence?: string;
  readonly ctrl?: boolean;
  readonly meta?: boolean;
  readonly shift?: boolean;
}

/** A mouse event as blessed reports it, cells from 0. */
export interface BlessedMouse {
  readonly action: string;
  readonly x: number;
  readonly y: number;
}

type RawScreen = Omit<Widgets.Screen, 'program' | 'tput'> & {
  program: Program;
  tput: { brokenACS: boolean };
  enter(): void;
  leave(): void;
  _listenedMouse?: boolean;
};

/** A terminal's two ends and how to use them. */
export interface ScreenOptions {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  readonly mouse: boolean;
  readonly ascii: boolean;
  readonly terminal: TerminalOutput;
  /** Called with each answer of the terminal. */
  readonly answered: (answer: Answer) => void;
}

/** An open screen. Closing it restores the terminal; closing it twice does nothing. */
export interface OpenScreen {
  readonly screen: Widgets.Screen;
  /** Draws what changed. The only way to draw. */
  draw(): void;
  /** Forgets what the terminal shows, so that the next draw writes every cell. */
  forget(): void;
  /** Begins to read keys, the mouse and answers. */
  listen(): void;
  onKey(listener: (char: string | undefined, key: BlessedKey) => void): void;
  onMouse(listener: (event: BlessedMouse) => void): void;
  onResize(listener: () => void): void;
  /** Gives the terminal back, for a while. */
  leave(): void;
  /** Takes the terminal again. */
  enter(): void;
  /** Writes a sequence that draws nothing (the clipboard). */
  writeRaw(sequence: string): void;
  /** Characters written so far, to see whether a draw wrote any. */
  readonly written: number;
  /** Says whether an answer of the terminal is under way: if so, the beginning of one is held back for a moment. */
  expect(isExpecting: boolean): void;
  close(): void;
}

/** The largest screen that is drawn. A terminal may claim thousands of columns and rows, and blessed keeps two objects a cell. */
const LARGEST = { columns: 640, rows: 270 } as const;

/** Size of the terminal, 80x24 if it doesn't say. Cells beyond `LARGEST` stay blank. */
export function sizeOf({ columns, rows }: { readonly columns?: number; readonly rows?: number }): {
  readonly columns: number;
  readonly rows: number;
} {
  return { columns: Math.min(columns || 80, LARGEST.columns), rows: Math.min(rows || 24, LARGEST.rows) };
}

/** A resize counts once none has followed for this long, ms. */
const RESIZE_MS = 50;
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const;

/** Opens the screen: alternate buffer, raw input, cursor hidden. */
export function openScreen(options: ScreenOptions): OpenScreen {
  const { output, mouse, ascii, terminal } = options;
  const input = new Keyboard(options.input, options.answered);
  const signalsBefore = new Map(SIGNALS.map((signal) => [signal, process.listeners(signal)]));

  const screen = withoutTmux(
    () =>
      blessed.screen({
        program: boundedProgram(input, output, !ascii),
        // Without it blessed goes by LANG, which sudo strips, and draws `?` for every line and bar (chjj/blessed#319).
        forceUnicode: !ascii,
        // Without it wide CJK takes one cell. What blessed's table of 2015 has wrong never gets here (view/text/cells.ts).
        fullUnicode: !ascii,
        smartCSR: true,
        resizeTimeout: RESIZE_MS,
        warnings: false,
        sendFocus: false,
      } as unknown as Widgets.IScreenOptions) as unknown as RawScreen,
  );
  const { program } = screen;

  // Lines drawn through the alternate character set come out as `lqqqk` in tmux and in copies of the screen (chjj/blessed#220).
  screen.tput.brokenACS = true;

  // blessed's signal handlers end the process with status 0 when they are alone. Signals and the exit status are the caller's.
  for (const signal of SIGNALS)
    for (const listener of process.listeners(signal))
      if (!signalsBefore.get(signal)?.includes(listener)) process.removeListener(signal, listener as NodeJS.SignalsListener);

  // Two callers of render() mean two writes and a torn frame: blessed calls it in the middle of a resize, with the old rectangles.
  const render = screen.render.bind(screen);
  screen.render = () => {};

  // 24-bit colours, and a third fewer bytes: see terminal-output.ts.
  const write = program._owrite.bind(program);
  let written = 0;
  const send = (text: string): unknown => {
    written += text.length;
    return write(terminal.rewrite(text));
  };
  program._owrite = send;
  program.write = send;

  // blessed turns on 1003 (every motion, a flood over SSH) and 1005 (wrong beyond column 223), not 1006.
  program.enableMouse = () => program.setMouse({ vt200Mouse: true, cellMotion: true, sgrMouse: true }, true);
  const mouseOn = (): void => {
    if (mouse) program.enableMouse();
  };
  const pasteOn = (): void => void write('\x1b[?2004h');

  // Node's writes to a terminal block: one that stops reading (a dead SSH session) would stop the capture. Unblocked, writes queue, and the
  // renderer sees the queue.
  setBlocking(output, false);

  let state: 'open' | 'away' | 'closed' = 'open';
  const leave = (): void => {
    program.disableMouse();
    screen._listenedMouse = false; // else leave() turns the mouse off a second time
    screen.leave();
    program.write('\x1b[?25h\x1b[?2004l');
    program.flush();
  };
  mouseOn();
  pasteOn();

  return {
    screen: screen as unknown as Widgets.Screen,
    draw: () => {
      if (state !== 'open') return;
      render();
      program.flush(); // blessed writes a turn later, behind what is written meanwhile
    },
    forget: () => screen.realloc(),
    listen: () => input.listen(),
    // On program, not screen: there a listener is called twice while a widget has the focus.
    onKey: (listener) => program.on('keypress', listener),
    onMouse: (listener) => {
      if (mouse) program.on('mouse', listener);
    },
    onResize: (listener) => void screen.on('resize', listener),
    leave: () => {
      if (state !== 'open') return;
      state = 'away';
      leave();
      if (input.isTTY) input.setRawMode(false);
      input.pause();
      setBlocking(output, true);
    },
    enter: () => {
      if (state !== 'away') return;
      state = 'open';
      setBlocking(output, false);
      if (input.isTTY) input.setRawMode(true);
      input.resume();
      screen.enter();
      mouseOn();
      pasteOn();
      screen.realloc();
    },
    writeRaw: (sequence) => void write(sequence),
    get written() {
      return written;
    },
    expect: (isExpecting) => input.expect(isExpecting),
    close: () => {
      if (state === 'closed') return;
      if (state === 'open') leave();
      state = 'closed';
      setBlocking(output, true);
      screen.destroy();
    },
  };
}

/**
 * The description that blessed gets of every terminal, its own copy of xterm-256color, which is right on all in use.
 *
 * blessed knows neither 32-bit terminfo (ncurses 6.1+: "Terminfo parse error", then 8 colours) nor Setulc (a page of generated code on stderr;
 * paaatrick/playball#28).
 */
const TERMINFO = 'node_modules/blessed/usr/xterm-256color';
interface Tput {
  readTerminfo(): object;
  parseTerminfo(bytes: Buffer, name: string): object;
  /** Makes a function out of a capability's text. */
  _compile(info: object, key: string, value: unknown): unknown;
}
const tput = (blessed as unknown as { Tput: { prototype: Tput } }).Tput.prototype;
tput.readTerminfo = function readTerminfo() {
  return this.parseTerminfo(readOwnFile(TERMINFO), TERMINFO);
};
// blessed compiles all 400 before the first frame, of which 20 are used.
const compile = tput._compile;
tput._compile = function compileLate(info, key, value) {
  if (typeof value !== 'string' || value === '') return compile.call(this, info, key, value);
  let made: ((words: unknown) => unknown) | null = null;
  return (words: unknown) => {
    made ??= compile.call(this, info, key, value) as (words: unknown) => unknown;
    return made.call(this, words);
  };
};

/** blessed's program, with a screen of at most `LARGEST` whatever the terminal says. */
function boundedProgram(input: Keyboard, output: NodeJS.WriteStream, unicode: boolean): Program {
  const program = blessed.program({
    input: input as unknown as NodeJS.ReadStream,
    output,
    terminal: `/${TERMINFO}`, // a path: blessed takes a name for a reason to be clever
    resizeTimeout: RESIZE_MS,
    forceUnicode: unicode,
    tput: true,
    buffer: true,
    zero: true,
  } as unknown as Widgets.IScreenOptions) as unknown as Program;
  // blessed sets these from the stream at each resize.
  Object.defineProperty(program, 'cols', { get: () => sizeOf(output).columns, set: () => undefined });
  Object.defineProperty(program, 'rows', { get: () => sizeOf(output).rows, set: () => undefined });
  return program;
}

/** Hides TMUX: with it blessed runs `tmux -V` from PATH, as root, and the first frame is 10 ms later. */
function withoutTmux<T>(work: () => T): T {
  const before = process.env['TMUX'];
  delete process.env['TMUX'];
  try {
    return work();
  } finally {
    if (before !== undefined) process.env['TMUX'] = before;
  }
}

function setBlocking(output: NodeJS.WriteStream, blocking: boolean): void {
  const handle = (output as Partial<WriteStream> & { _handle?: { setBlocking?: (on: boolean) => unknown } })._handle;
  handle?.setBlocking?.(blocking);
}
