// Opens the terminal screen for a run: theme, keys, colours, and the terminal itself when standard input is the capture.

import { openSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { ReadStream } from 'node:tty';
import { fileURLToPath } from 'node:url';
import type { Aggregator } from '../aggregate/aggregator.ts';
import type { Options } from '../cli/options.ts';
import { workingFolder } from '../cli/working-folder.ts';
import { systemClock } from '../clock.ts';
import { NetmonError, reasonOf } from '../errors.ts';
import type { Edges } from '../net/edges.ts';
import { missingHistory } from '../store/history-files.ts';
import { backgroundOf, canAnswer, drawingOf } from '../tui/terminal.ts';
import { ThemeShelf, themeFolders } from '../tui/theme-files.ts';
import { Tui } from '../tui/tui.ts';
import { rebind } from '../view/keymap.ts';
import { memoryOf } from '../view/memory.ts';
import { depthOf } from '../view/palette.ts';
import { hasHistory } from './acquaintance.ts';
import { systemClipboard } from './clipboard.ts';
import { HistoryAnswers } from './history-answers.ts';
import type { Output } from './output.ts';
import { memorise, recall } from './screen-memory.ts';
import { ScreenOutput } from './screen-output.ts';
import { ScreenTasks } from './screen-tasks.ts';

/** The name that leaves the theme to the terminal's background, and what is worn then. */
const AUTO = 'auto';
const BY_BACKGROUND = { dark: 'netmon', light: 'light' } as const;

/** The screen of a run. */
export interface OpenTui {
  readonly output: Output;
  /** Begins to read keys. Not before root is given up: what they ask for would be done as root. */
  listen(): void;
  /** Where questions about the past are answered from, and filters are counted. */
  follow(aggregator: Aggregator): void;
  /** What does the rest of what the screen asks for. */
  readonly tasks: ScreenTasks;
  close(): void;
}

/** Opens the screen; `quit` is called when the user asks to leave, `save` when history is to be written. Close it on every way out. */
export function openTui(options: Options, edges: Edges, quit: () => void, save: () => void): OpenTui {
  const keys = rebind(options.keys);
  if (!keys.ok) throw new NetmonError('usage', keys.problems.join('; '), 'see README.md, "Keys"');
  const places = {
    platform: edges.platform,
    home: options.place.home,
    uid: options.screen.owner?.uid ?? null,
    configHome: process.env['XDG_CONFIG_HOME'],
    ours: fileURLToPath(new URL('../../themes', import.meta.url)),
  };
  const themes = new ThemeShelf(themeFolders(places));
  const byBackground = options.theme === AUTO ? BY_BACKGROUND : null;
  const theme = themes.load(byBackground === null ? options.theme : byBackground[backgroundOf(process.env) ?? 'dark']);
  const folders = [workingFolder(), options.place.home, tmpdir()].filter((folder) => folder !== null);
  let counts: Aggregator | null = null;
  let closed = false;
  const historyPath = options.history?.path ?? null;
  const wasThere = historyPath === null || hasHistory(historyPath);
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
    mouse: options.mouse ?? process.env['SSH_CONNECTION'] === undefined,
    keys: keys.keys,
    clipboard: systemClipboard(edges, process.env),
    filter: options.filter ?? '',
    memory: options.screen.memory === null ? null : recall({ path: options.screen.memory, owner: options.screen.owner }),
    view: { units: options.units, names: options.names, budget: options.budget },
    effects: (effect) => {
      if (effect.type === 'quit') quit();
      else if (effect.type === 'save-history') save();
      else if (tasks.take(effect)) return;
      else if (effect.type === 'match') counts?.match(effect.filter, effect.from);
      else if (effect.type === 'history') answers.ask(effect.requests);
      else if (effect.type === 'past') {
        const { from, to } = effect;
        tui.apply({ type: 'past', from, to, answer: counts?.keepPast().between(from, to) ?? null });
      }
    },
  });
  const { memory: path, owner } = options.screen;
  const place = path === null ? null : { path, owner };
  const tasks = new ScreenTasks({ folders, owner }, (action) => tui.apply(action));
  const answers = new HistoryAnswers({
    path: historyPath,
    // Most runs never look at it.
    open: async (path) => {
      const { openBareHistory } = await import('./bare-history.ts');
      return openBareHistory(path).catch((thrown: unknown) => {
        // Root looked before it became somebody who may not look into its folder.
        const isHidden = !wasThere && reasonOf(thrown).endsWith(': permission denied');
        throw isHidden ? missingHistory(path) : thrown;
      });
    },
    clock: systemClock,
    tell: (slot, serial, answer) => tui.apply({ type: 'history', slot, serial, answer }),
  });
  return {
    output: new ScreenOutput(tui),
    tasks,
    listen: () => tui.listen(),
    follow(aggregator) {
      counts = aggregator;
      counts.keepPast();
      counts.match(tui.state.filter.filter, tui.state.since);
    },
    close() {
      if (!closed && place !== null) memorise(memoryOf(tui.state), place);
      closed = true;
      tui.close();
      void answers.close();
      if (input !== process.stdin) input.destroy();
    },
  };
}

/** When standard input is the capture, keys come from the terminal itself. */
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
