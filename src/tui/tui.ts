// The screen as the program uses it: snapshots in, effects out. It holds the state, and knows of nothing but what it was given.

import { type Clock, systemClock } from '../system/clock.ts';
import type { Action, Effect } from '../view/action.ts';
import { type Frame, type FrameSettings, frameOf } from '../view/frame.ts';
import { withFilter } from '../view/input/filter-input.ts';
import { KEYMAP, type KeyTable } from '../view/input/keymap.ts';
import { reduce } from '../view/input/reducer.ts';
import { remembered } from '../view/saved-state.ts';
import { emptySnapshot, type Snapshot } from '../view/start.ts';
import { initialState, type ViewDefaults, type ViewState } from '../view/state.ts';
import { ASCII_GLYPHS, CONSOLE_GLYPHS, type Glyphs, UNICODE_GLYPHS } from '../view/text/glyphs.ts';
import type { Depth, Theme } from '../view/text/theme.ts';
import { type Styles, stylesOf } from '../view/text/theme.ts';
import { type Answer, ASK_BACKGROUND, ASK_DRAWN } from './answers.ts';
import { Dashboard } from './dashboard.ts';
import { Line } from './frame-pacing.ts';
import { keyAction, mouseAction, pasteAction } from './input.ts';
import { Renderer } from './renderer.ts';
import { type OpenScreen, openScreen, sizeOf } from './screen.ts';
import { type Drawing, isLight } from './terminal.ts';
import { Ink } from './terminal-output.ts';
import type { ThemeShelf } from './theme-files.ts';

const GLYPHS: Readonly<Record<Drawing, Glyphs>> = { unicode: UNICODE_GLYPHS, console: CONSOLE_GLYPHS, ascii: ASCII_GLYPHS };
/** Milliseconds after which a suspension that did not happen is taken back. */
const COME_BACK_MS = 300;

/** What the screen is made with. */
export interface TuiOptions {
  /** The terminal: `process.stdin` (or /dev/tty when stdin is the capture) and `process.stdout`. */
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  readonly theme: Theme;
  /** Colours to send: `depthOf(process.env)`, or 'none' for `--no-color`. */
  readonly colour: Depth;
  /** Signs to draw with; all of them unless told. */
  readonly drawing?: Drawing;
  readonly mouse?: boolean;
  /** Keys: `KEYMAP`, or what `rebind` made of the config file. */
  readonly keys?: KeyTable;
  /** Themes for the picker; without it there is none. */
  readonly themes?: ThemeShelf;
  /** Filter in force from the start; a wrong one is shown in the input, with its error. */
  readonly filter?: string;
  /** What a run before this one left to be remembered; checked here. */
  readonly memory?: unknown;
  /** What else the view starts with. */
  readonly view?: Omit<ViewDefaults, 'columns' | 'rows' | 'theme' | 'themes'>;
  readonly clock?: Clock;
  /** The terminal may be asked how far it has drawn; false unless told. */
  readonly asks?: boolean;
  /** Themes to wear when the terminal tells its background; null keeps the theme. */
  readonly byBackground?: { readonly dark: string; readonly light: string } | null;
  /** Told of every effect after the screen has done its own part of it. */
  readonly effects: (effect: Effect) => void;
  /** Puts a row into the clipboard of this machine; without it, or where it returns false, the terminal is asked to. */
  readonly clipboard?: ((text: string) => Promise<boolean>) | null;
  /** Stops the process until it is continued; SIGTSTP to itself unless a test says otherwise. */
  readonly stopProcess?: () => void;
}

/**
 * The terminal screen.
 *
 *     const tui = new Tui({ input, output, theme, colour, effects: (effect) => { if (effect.type === 'quit') stop(); } });
 *     tui.listen();            // once keys may be obeyed
 *     tui.show(snapshot);      // each interval
 *     tui.close();             // on every way out
 *
 * It takes the terminal when it is made and draws a first frame at once. It installs no signal handlers but one for SIGCONT while it is
 * suspended: the caller handles SIGINT, SIGTERM, SIGHUP and uncaught exceptions, and calls `close` before it prints anything.
 */
export class Tui {
  private readonly options: TuiOptions;
  private readonly settings: FrameSettings;
  private readonly terminal: OpenScreen;
  private readonly dashboard: Dashboard;
  private readonly renderer: Renderer;
  private readonly ink = new Ink();
  private current: ViewState;
  private snapshot: Snapshot;
  private frame: Frame | null = null;
  private closed = false;
  /** Cell of the chart in which the mouse button went down and is still held. */
  private drag: number | null = null;
  private comeBack: NodeJS.Timeout | null = null;
  /** The terminal shows something else than what was drawn last. */
  private stale = true;
  private readonly line: Line;
  /** Waits for the last answer of the terminal before it is given back. */
  private leaving: NodeJS.Timeout | null = null;
  private readonly continued = (): void => this.resume();

  /** Takes the terminal and draws the first frame. */
  constructor(options: TuiOptions) {
    this.options = options;
    const { input, output, drawing = 'unicode', mouse = false } = options;
    const clock = options.clock ?? systemClock;
    this.settings = { glyphs: GLYPHS[drawing], keys: options.keys ?? KEYMAP };
    this.snapshot = emptySnapshot(clock.now());
    const fresh = initialState({
      ...options.view,
      ...sizeOf(output),
      theme: options.theme.name,
      themes: options.themes?.names() ?? [],
    });
    const started = remembered(fresh, options.memory);
    this.current = options.filter === undefined || options.filter.trim() === '' ? started : withFilter(started, options.filter);
    const answered = (answer: Answer): void => this.hear(answer);
    this.terminal = openScreen({ input, output, mouse, ascii: drawing === 'ascii', ink: this.ink, answered });
    try {
      this.line = new Line(clock, () => {
        this.terminal.expect(true);
        this.terminal.writeRaw(ASK_DRAWN);
      });
      this.dashboard = new Dashboard(this.terminal.screen, this.settings.glyphs);
      this.dashboard.dress(this.stylesFor(options.theme), options.colour, this.ink);
      this.renderer = new Renderer(() => this.paint(), output, clock, this.line);
      this.terminal.onKey((char, key) => {
        const action = keyAction(this.current, this.settings.keys, char, key);
        if (action !== null) this.apply(action);
      });
      this.terminal.onMouse((event) => {
        if (event.action === 'mouseup') this.drag = null;
        // blessed reports a motion with the button held as another press (program.js, SGR).
        const held = this.drag !== null && event.action === 'mousedown' ? { ...event, action: 'mousemove' } : event;
        const action = this.frame === null ? null : mouseAction(this.frame, held, this.drag);
        if (action?.type === 'chart' && held.action === 'mousedown') this.drag = action.cell;
        if (action !== null) this.apply(action);
      });
      this.terminal.onResize(() => this.resized());
      if (options.asks === true) {
        // Before anything is drawn: how long a line takes for nothing can't be told behind a frame. Answers wait in the terminal.
        if (options.byBackground) this.terminal.writeRaw(ASK_BACKGROUND);
        this.line.begin();
      }
      this.renderer.now();
    } catch (thrown) {
      this.terminal.close(); // nobody else could: what failed to open can't be closed by its owner
      throw thrown;
    }
  }

  /** Begins to read the terminal. Until then no key, no mouse, no paste and no answer of it is read, let alone obeyed. */
  listen(): void {
    if (!this.closed) this.terminal.listen();
  }

  /** What the user chose so far. */
  get state(): ViewState {
    return this.current;
  }

  /** Frames drawn so far. */
  get frames(): number {
    return this.renderer.frames;
  }

  /** Shows a snapshot; while the picture is paused, only the header's clock of it. */
  show(snapshot: Snapshot): void {
    if (this.closed) return;
    this.snapshot = snapshot;
    this.apply({ type: 'snapshot' }, true);
  }

  /** Applies an action as if a key had asked for it, and draws when something changed. */
  apply(action: Action, always = false): void {
    if (this.closed) return;
    const step = reduce(this.current, action, this.snapshot, this.settings);
    const changed = step.state !== this.current;
    this.current = step.state;
    for (const effect of step.effects) this.perform(effect);
    if (changed || always) this.renderer.request();
  }

  /** Draws what is true now, without waiting for the interval. */
  flush(): void {
    if (!this.closed) this.renderer.now();
  }

  /** Gives the terminal back until `resume`. Snapshots are taken meanwhile, and not drawn. */
  suspend(): void {
    if (this.closed) return;
    this.line.stop();
    this.terminal.leave();
  }

  /** Takes the terminal again and draws all of it. */
  resume(): void {
    if (this.closed) return;
    this.stopWaiting();
    this.terminal.enter();
    this.stale = true;
    this.resized();
  }

  /** Restores the terminal: alternate screen left, cursor shown, mouse and raw mode off. May be called twice, and from any handler. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.stopWaiting();
    this.renderer.stop();
    this.line.stop();
    this.terminal.close();
  }

  private stopWaiting(): void {
    process.removeListener('SIGCONT', this.continued);
    if (this.comeBack !== null) clearTimeout(this.comeBack);
    this.comeBack = null;
  }

  private forget(): void {
    this.terminal.forget();
    this.stale = true;
  }

  private resized(): void {
    this.stale = true;
    this.apply({ type: 'resize', ...sizeOf(this.options.output) });
    this.flush();
  }

  private paint(): void {
    this.frame = frameOf(this.current, this.snapshot, this.settings);
    // blessed writes wide characters anew at each render, changed or not: nothing new, no render.
    const before = this.terminal.written;
    if (this.dashboard.show(this.frame) || this.stale) this.terminal.draw();
    this.stale = false;
    if (this.terminal.written !== before) this.line.drawn();
  }

  private stylesFor(theme: Theme): Styles {
    return stylesOf(theme, this.options.colour);
  }

  private perform(effect: Effect): void {
    switch (effect.type) {
      case 'quit':
        if (this.waits(() => this.perform(effect))) return;
        break;
      case 'redraw':
        this.forget();
        this.renderer.now();
        break;
      case 'copy':
        void this.copy(effect.text);
        break;
      case 'theme':
        this.wear(effect.name);
        break;
      case 'suspend':
        if (this.waits(() => this.perform(effect))) return;
        this.suspend();
        process.once('SIGCONT', this.continued);
        (this.options.stopProcess ?? (() => process.kill(process.pid, 'SIGTSTP')))();
        // Without a shell above it (ssh -t, tmux new-window, a container) the kernel ignores the stop: the screen comes back by itself.
        this.comeBack = setTimeout(this.continued, COME_BACK_MS);
        break;
    }
    this.options.effects(effect);
  }

  /** A terminal doesn't say whether it takes OSC 52, so that is no "copied". */
  private async copy(text: string): Promise<void> {
    const { clipboard = null } = this.options;
    const isCopied = clipboard !== null && (await clipboard(text));
    if (this.closed) return;
    if (!isCopied) this.terminal.writeRaw(`\x1b]52;c;${Buffer.from(text).toString('base64')}\x07`);
    this.apply({ type: 'notice', text: isCopied ? 'row copied' : 'row sent to the terminal' });
  }

  /**
   * Has the terminal given back only when it has answered: an answer that comes later is typed into the shell.
   *
   * @returns true when that is done later, by `then`; asked again, it is done at once
   */
  private waits(then: () => void): boolean {
    const { patience } = this.line;
    if (this.leaving !== null) clearTimeout(this.leaving);
    else if (patience > 0) {
      this.leaving = setTimeout(then, patience);
      this.line.onFree = then;
      return true;
    }
    this.leaving = null;
    this.renderer.listen();
    return false;
  }

  private hear(answer: Answer): void {
    if (answer.kind === 'drawn') {
      this.terminal.expect(false);
      this.line.answered();
      return;
    }
    if (answer.kind === 'pasted') {
      const action = pasteAction(this.current, answer.text);
      if (action !== null) this.apply(action);
      return;
    }
    const { byBackground, theme } = this.options;
    const isOwn = this.current.theme !== theme.name || this.current.popup?.kind === 'themes'; // picked meanwhile
    if (!byBackground || isOwn) return;
    const name = isLight(answer) ? byBackground.light : byBackground.dark;
    if (name !== theme.name) this.apply({ type: 'wear', theme: name });
  }

  private wear(name: string): void {
    const { themes, theme, colour } = this.options;
    let chosen = theme;
    try {
      if (themes !== undefined && name !== theme.name) chosen = themes.load(name);
    } catch {
      return; // the file went away or broke since it was listed: the theme in force stays
    }
    this.ink.clear();
    this.dashboard.dress(this.stylesFor(chosen), colour, this.ink);
    this.forget();
  }
}
