// Opens the terminal screen for a run: theme, keys, colours, the saved state, and the terminal itself if standard input is the capture. Only
// what the first frame needs is loaded here.

import { openSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import { NetmonError } from '../model/errors.ts';
import type { Options } from '../model/options.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { Output } from '../output/output.ts';
import { backgroundOf, canAnswer, drawingOf } from '../tui/terminal.ts';
import { ThemeShelf, themeFolders } from '../tui/theme-files.ts';
import { Tui } from '../tui/tui.ts';
import { rebind } from '../view/input/keymap.ts';
import { savedStateOf } from '../view/saved-state.ts';
import { depthOf } from '../view/text/colours.ts';
import { readSavedScreen, writeSavedScreen } from './saved-screen.ts';

/** The theme name that leaves the choice to the terminal's background, and the themes chosen then. */
const AUTO = 'auto';
const BY_BACKGROUND = { dark: 'netmon', light: 'light' } as const;

/** The screen of a run. It has drawn a first frame, and reads no keys before `tui.listen`. */
export interface RunScreen {
  readonly tui: Tui;
  readonly output: Output;
  /** Saves the state and gives the terminal back. May be called once. */
  close(): void;
}

/**
 * Opens the screen.
 *
 * @param overSsh whether the user sits at another machine, whose terminal should keep the mouse
 * @throws NetmonError for a key or a theme that does not exist, and if there is no terminal
 */
export function openScreen(options: Options, platform: NodeJS.Platform, overSsh: boolean): RunScreen {
  const keys = rebind(options.keys);
  if (!keys.ok) throw new NetmonError('usage', keys.problems.join('; '), 'see docs/usage.md, "Keys"');
  const { savedState: path, owner } = options.screen;
  const themes = new ThemeShelf(
    themeFolders({
      platform,
      home: options.place.home,
      uid: owner?.uid ?? null,
      configHome: process.env['XDG_CONFIG_HOME'],
    }),
  );
  const byBackground = options.theme === AUTO ? BY_BACKGROUND : null;
  const theme = themes.load(byBackground === null ? options.theme : byBackground[backgroundOf(process.env) ?? 'dark']);
  const saved = path === null ? null : { path, owner };
  const input = terminalInput(options.read === '-');
  const tui = new Tui({
    input,
    output: process.stdout,
    theme,
    themes,
    colour: options.color ? depthOf(process.env) : 'none',
    asks: canAnswer(process.env) && input.isTTY === true,
    byBackground: options.color ? byBackground : null,
    drawing: options.ascii ? 'ascii' : drawingOf(process.env),
    mouse: options.mouse ?? !overSsh,
    keys: keys.keys,
    filter: options.filter ?? sessionFilter(options),
    saved: saved === null ? null : readSavedScreen(saved),
    lite: options.lite,
    view: {
      units: options.units,
      average: options.average,
      names: options.names,
      budget: options.budget,
      historyFile: options.read === null ? (options.history?.path ?? null) : null,
    },
  });
  return {
    tui,
    output: new ScreenOutput(tui),
    close() {
      if (saved !== null) writeSavedScreen(savedStateOf(tui.state), saved);
      tui.close();
      if (input !== process.stdin) input.destroy();
    },
  };
}

/** A session that is followed fills the screen, until the filter is cleared. */
function sessionFilter({ session }: Options): string {
  return session === null ? '' : `(pid=${session.pid} or ancestor=${session.pid})`;
}

/** Keys come from the terminal itself if standard input is the capture. */
function terminalInput(stdinTaken: boolean): ReadStream {
  if (!stdinTaken && process.stdin.isTTY) return process.stdin;
  try {
    return new ReadStream(openSync('/dev/tty', 'r'));
  } catch (thrown) {
    throw new NetmonError(
      'terminal',
      'there is no terminal to take keys from',
      'for text without a screen: netmon-tui --once, or --json',
      thrown,
    );
  }
}

/** The screen as an output: it shows each sample, and leaves the last one of a replay standing. */
export class ScreenOutput implements Output {
  readonly wantsEvents = false;
  readonly #tui: Tui;

  constructor(tui: Tui) {
    this.#tui = tui;
  }

  sample(snapshot: Snapshot): void {
    this.#tui.show(snapshot);
  }

  opened(): void {}

  closed(): void {}

  gap(): void {}

  end(snapshot: Snapshot): Promise<void> {
    this.#tui.show(snapshot);
    return Promise.resolve();
  }
}
