// The terminal screen: snapshots in, effects out. It holds the state of the view and knows nothing beyond what it is given. It refuses
// everything that reaches past the terminal: files, captures and the machine's clipboard are effects, and somebody else's work.
//
//     terminal -> keyboard (answers taken out) -> input: actions -> reduce -> effects
//                                                      |
//     snapshot -> frameOf -> dashboard: widgets -> blessed -> terminal-output -> terminal
//                               ^ renderer decides when, frame-pacing whether

import type { Snapshot } from '../model/snapshot.ts';
import { type Clock, systemClock } from '../system/clock.ts';
import type { Action, Effect } from '../view/action.ts';
import { emptySnapshot } from '../view/empty-snapshot.ts';
import { type Frame, type FrameSettings, frameOf } from '../view/frame.ts';
import { isTyping, PAUSE_MS, withFilter } from '../view/input/filter-input.ts';
import { KEYMAP, type KeyTable } from '../view/input/keymap.ts';
import { reduce } from '../view/input/reducer.ts';
import { restored, withLite } from '../view/saved-state.ts';
import { initialState, type ViewDefaults, type ViewState } from '../view/state.ts';
import type { Depth } from '../view/text/colours.ts';
import { ASCII_GLYPHS, CONSOLE_GLYPHS, type Glyphs, UNICODE_GLYPHS } from '../view/text/glyphs.ts';
import { stylesOf } from '../view/text/styles.ts';
import type { Theme } from '../view/text/theme.ts';
import { type Answer, ASK_BACKGROUND, ASK_DRAWN } from './answers.ts';
import { Dashboard } from './dashboard.ts';
import { FramePacing } from './frame-pacing.ts';
import { keyAction, mouseAction, pasteAction } from './input.ts';
import { Renderer } from './renderer.ts';
import { type OpenScreen, openScreen, sizeOf } from './screen.ts';
import { type Drawing, isLight } from './terminal.ts';
import { TerminalOutput } from './terminal-output.ts';
import type { ThemeShelf } from './theme-files.ts';

const GLYPHS: Readonly<Record<Drawing, Glyphs>> = { unicode: UNICODE_GLYPHS, console: CONSOLE_GLYPHS, ascii: ASCII_GLYPHS };
/** A suspension that did not stop the process is undone after this time, ms. */
const COME_BACK_MS = 300;

/** What the screen is made with. */
export interface TuiOptions {
  /** The terminal: `process.stdin` (or /dev/tty if stdin is the capture) and `process.stdout`. */
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  readonly theme: Theme;
  /** Colours to send: `depthOf(process.env)`, or 'none' for `--no-color`. */
  readonly colour: Depth;
  /** Characters to draw with; all of Unicode by default. */
  readonly drawing?: Drawing;
  readonly mouse?: boolean;
  /** `KEYMAP`, or what `rebind` made of the config file. */
  readonly keys?: KeyTable;
  /** Themes for the picker; without them there is no picker. */
  readonly themes?: ThemeShelf;
  /** The first filter; an invalid one is shown in the input, with its error. */
  readonly filter?: string;
  /** What an earlier run saved; checked here. */
  readonly saved?: unknown;
  /** Whether it begins with the lite screen; null or absent: as saved. */
  readonly lite?: boolean | null;
  /** What else the view starts with. */
  readonly view?: Omit<ViewDefaults, 'columns' | 'rows' | 'theme' | 'themes'>;
  readonly clock?: Clock;
  /** The terminal may be asked how far it has drawn; false by default. */
  readonly asks?: boolean;
  /** Themes to choose from once the terminal tells its background; null keeps the theme. */
  readonly byBackground?: { readonly dark: string; readonly light: string } | null;
  /** Stops the process until it is continued; by default SIGTSTP to itself. */
  readonly stopProcess?: () => void;
}

/** An effect that the screen can't carry out itself. */
export type OutsideEffect = Exclude<Effect, { readonly type: 'redraw' | 'suspend' | 'theme' }>;

/**
 * The terminal screen.
 *
 *     const tui = new Tui({ input, output, theme, colour });
 *     tui.listen((effect) => { if (effect.type === 'quit') stop(); });   // once keys may be obeyed
 *     tui.show(snapshot);                                                // each interval
 *     tui.close();                                                       // on every way out
 *
 * It takes the terminal when it is made and draws a first frame at once. Its only signal handler is one for SIGCONT while it is suspended:
 * the caller handles SIGINT, SIGTERM, SIGHUP and uncaught exceptions, and calls `close` before it prints anything.
 */
export class Tui {
  readonly #options: TuiOptions;
  readonly #settings: FrameSettings;
  readonly #clock: Clock;
  readonly #terminal: OpenScreen;
  readonly #dashboard: Dashboard;
  readonly #renderer: Renderer;
  readonly #pacing: FramePacing;
  readonly #terminalOutput = new TerminalOutput();
  #state: ViewState;
  #snapshot: Snapshot;
  #frame: Frame | null = null;
  #closed = false;
  /** Takes effects; until `listen` gives another, they wait in `#early`. */
  #perform: (effect: OutsideEffect) => void;
  #early: OutsideEffect[] = [];
  /** Cell of the chart in which the mouse button went down and is still held. */
  #drag: number | null = null;
  #comeBack: NodeJS.Timeout | null = null;
  /** Ends when typing pauses. */
  #pause: NodeJS.Timeout | undefined;
  /** The terminal shows something else than what was drawn last. */
  #stale = true;
  /** What is to be done once the terminal has given its last answer. */
  #leaving: { readonly timer: NodeJS.Timeout; readonly leave: () => void } | null = null;
  readonly #continued = (): void => this.resume();

  /** Takes the terminal and draws the first frame. */
  constructor(options: TuiOptions) {
    this.#options = options;
    this.#perform = (effect) => this.#early.push(effect);
    const { input, output, drawing = 'unicode', mouse = false } = options;
    const clock = options.clock ?? systemClock;
    this.#clock = clock;
    this.#settings = { glyphs: GLYPHS[drawing], keys: options.keys ?? KEYMAP };
    this.#snapshot = emptySnapshot(clock.now());
    const initial = initialState({
      ...options.view,
      ...sizeOf(output),
      theme: options.theme.name,
      themes: options.themes?.names() ?? [],
    });
    const started = withLite(restored(initial, options.saved, options.view?.average ?? null), options.lite ?? null);
    this.#state = options.filter === undefined || options.filter.trim() === '' ? started : withFilter(started, options.filter);
    const answered = (answer: Answer): void => this.#hear(answer);
    this.#terminal = openScreen({ input, output, mouse, ascii: drawing === 'ascii', terminal: this.#terminalOutput, answered });
    try {
      const ask = (): void => {
        this.#terminal.expect(true);
        this.#terminal.writeRaw(ASK_DRAWN);
      };
      this.#pacing = new FramePacing(clock, ask, () => this.#freed());
      this.#dashboard = new Dashboard(this.#terminal.screen, this.#settings.glyphs);
      this.#dashboard.dress(stylesOf(options.theme, options.colour), options.colour, this.#terminalOutput);
      this.#renderer = new Renderer(() => this.#paint(), output, clock, this.#pacing);
      this.#terminal.onKey((char, key) => {
        const action = keyAction(this.#state, this.#settings.keys, char, key);
        if (action !== null) this.apply(action);
      });
      this.#terminal.onMouse((event) => {
        if (event.action === 'mouseup') this.#drag = null;
        // blessed reports a motion with the button held as another press (program.js, SGR).
        const held = this.#drag !== null && event.action === 'mousedown' ? { ...event, action: 'mousemove' } : event;
        const action = this.#frame === null ? null : mouseAction(this.#frame, held, this.#drag);
        if (action?.type === 'chart' && held.action === 'mousedown') this.#drag = action.cell;
        if (action !== null) this.apply(action);
      });
      this.#terminal.onResize(() => this.#resized());
      if (options.asks === true) {
        // Before anything is drawn: behind a frame nobody can tell how long the way alone takes. Answers wait in the terminal.
        if (options.byBackground) this.#terminal.writeRaw(ASK_BACKGROUND);
        this.#pacing.begin();
      }
      this.#renderer.now();
    } catch (thrown) {
      this.#terminal.close(); // the caller can't: it never gets this object
      throw thrown;
    }
  }

  /**
   * Begins to read the terminal. Until then no key, mouse, paste or answer is read, let alone obeyed.
   *
   * @param perform carries out what the screen can't, beginning with what was asked for so far
   */
  listen(perform: (effect: OutsideEffect) => void): void {
    if (this.#closed) return;
    this.#perform = perform;
    for (const effect of this.#early.splice(0)) perform(effect);
    this.#terminal.listen();
  }

  /** What the user chose so far. */
  get state(): ViewState {
    return this.#state;
  }

  /** Frames drawn so far. */
  get frames(): number {
    return this.#renderer.frames;
  }

  /** Shows a snapshot; while the picture is paused, only the header's clock of it. */
  show(snapshot: Snapshot): void {
    if (this.#closed) return;
    this.#snapshot = snapshot;
    this.apply({ type: 'snapshot' }, true);
  }

  /** Applies an action as if a key had asked for it, and draws if something changed. */
  apply(action: Action, always = false): void {
    if (this.#closed) return;
    const step = reduce(this.#state, action, this.#snapshot, this.#settings);
    const changed = step.state !== this.#state;
    this.#state = step.state;
    for (const effect of step.effects) this.#do(effect);
    if (action.type === 'edit') this.#awaitPause();
    if (changed || always) this.#renderer.request();
  }

  /** Draws the present state without waiting for the interval. */
  flush(): void {
    if (!this.#closed) this.#renderer.now();
  }

  /** Asks the terminal to put text into its clipboard (OSC 52). It doesn't say whether it did. */
  copyToTerminal(text: string): void {
    this.signal(`\x1b]52;c;${Buffer.from(text).toString('base64')}\x07`);
  }

  /** Writes a sequence that draws nothing, such as a notification. */
  signal(sequence: string): void {
    if (!this.#closed) this.#terminal.writeRaw(sequence);
  }

  /** Gives the terminal back until `resume`. Snapshots are still taken, and not drawn. */
  suspend(): void {
    if (this.#closed) return;
    this.#pacing.stop();
    this.#terminal.leave();
  }

  /** Takes the terminal again and draws all of it. */
  resume(): void {
    if (this.#closed) return;
    this.#stopWaiting();
    this.#terminal.enter();
    this.#stale = true;
    this.#resized();
  }

  /** Restores the terminal: alternate screen left, cursor shown, mouse and raw mode off. May be called twice, and from any handler. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopWaiting();
    clearTimeout(this.#pause);
    this.#renderer.stop();
    this.#pacing.stop();
    this.#terminal.close();
  }

  /** Text of the filter that is not applied is judged once no key comes for a while. */
  #awaitPause(): void {
    clearTimeout(this.#pause);
    if (!isTyping(this.#state)) return;
    const typedAt = this.#clock.monotonic();
    this.#pause = setTimeout(() => {
      if (this.#clock.monotonic() - typedAt >= PAUSE_MS) this.apply({ type: 'typing-paused' });
    }, PAUSE_MS + 1);
  }

  #stopWaiting(): void {
    process.removeListener('SIGCONT', this.#continued);
    if (this.#comeBack !== null) clearTimeout(this.#comeBack);
    this.#comeBack = null;
  }

  #forget(): void {
    this.#terminal.forget();
    this.#stale = true;
  }

  #resized(): void {
    this.#stale = true;
    this.apply({ type: 'resize', ...sizeOf(this.#options.output) });
    this.flush();
  }

  #paint(): void {
    this.#frame = frameOf(this.#state, this.#snapshot, this.#settings);
    // blessed writes wide characters again at each render, changed or not: without news there is no render.
    const before = this.#terminal.written;
    if (this.#dashboard.show(this.#frame) || this.#stale) this.#terminal.draw();
    this.#stale = false;
    if (this.#terminal.written !== before) this.#pacing.drawn();
  }

  /** Carries out what concerns the terminal, and hands on the rest. */
  #do(effect: Effect): void {
    switch (effect.type) {
      case 'redraw':
        this.#forget();
        this.#renderer.now();
        break;
      case 'theme':
        this.#wear(effect.name);
        break;
      case 'suspend':
        this.#afterLastAnswer(() => this.#stopProcess());
        break;
      case 'quit':
        this.#afterLastAnswer(() => this.#perform(effect));
        break;
      default:
        this.#perform(effect);
    }
  }

  #stopProcess(): void {
    this.suspend();
    process.once('SIGCONT', this.#continued);
    (this.#options.stopProcess ?? (() => process.kill(process.pid, 'SIGTSTP')))();
    // Without a shell above it (ssh -t, tmux new-window, a container) the kernel ignores the stop: the screen comes back by itself.
    this.#comeBack = setTimeout(this.#continued, COME_BACK_MS);
  }

  /**
   * Leaves the terminal once it has answered: a later answer would be typed into the shell. While one leave waits, another is done at once
   * in its place: whoever presses the key twice will not wait.
   */
  #afterLastAnswer(work: () => void): void {
    const { patience } = this.#pacing;
    const isSecond = this.#leaving !== null;
    if (this.#leaving !== null) clearTimeout(this.#leaving.timer);
    this.#leaving = null;
    if (isSecond || patience === 0) {
      work();
      return;
    }
    const leave = (): void => {
      if (this.#leaving !== null) clearTimeout(this.#leaving.timer);
      this.#leaving = null;
      work();
    };
    this.#leaving = { timer: setTimeout(leave, patience), leave };
  }

  /** The terminal has drawn everything, or is not waited for any more. */
  #freed(): void {
    if (this.#leaving !== null) this.#leaving.leave();
    else this.#renderer.freed();
  }

  #hear(answer: Answer): void {
    if (answer.kind === 'drawn') {
      this.#terminal.expect(false);
      this.#pacing.answered();
      return;
    }
    if (answer.kind === 'pasted') {
      const action = pasteAction(this.#state, answer.text);
      if (action !== null) this.apply(action);
      return;
    }
    const { byBackground, theme } = this.#options;
    const isPicked = this.#state.theme !== theme.name || this.#state.popup?.kind === 'themes'; // the user was faster
    if (!byBackground || isPicked) return;
    const name = isLight(answer) ? byBackground.light : byBackground.dark;
    if (name !== theme.name) this.apply({ type: 'theme', theme: name });
  }

  #wear(name: string): void {
    const { themes, theme, colour } = this.#options;
    let chosen = theme;
    try {
      if (themes !== undefined && name !== theme.name) chosen = themes.load(name);
    } catch {
      return; // the file went away or broke since it was listed: the theme in force stays
    }
    this.#terminalOutput.clear();
    this.#dashboard.dress(stylesOf(chosen, colour), colour, this.#terminalOutput);
    this.#forget();
  }
}
