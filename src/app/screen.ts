// Opens the terminal screen for a run: theme, keys, colours, and the terminal itself when standard input is the capture.

import { openSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { ReadStream } from 'node:tty';
import { fileURLToPath } from 'node:url';
import type { Aggregator } from '../aggregate/aggregator.ts';
import { missingHistory } from '../history/files.ts';
import { PS_ARGUMENTS, parsePs } from '../identify/process/macos/ps.ts';
import { NetmonError, reasonOf } from '../model/errors.ts';
import type { Options } from '../model/options.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { Output } from '../output/output.ts';
import { systemClock } from '../system/clock.ts';
import type { Edges } from '../system/edges.ts';
import { workingFolder } from '../system/files.ts';
import { backgroundOf, canAnswer, drawingOf } from '../tui/terminal.ts';
import { ThemeShelf, themeFolders } from '../tui/theme-files.ts';
import { Tui } from '../tui/tui.ts';
import { rebind } from '../view/input/keymap.ts';
import { memoryOf } from '../view/saved-state.ts';
import { depthOf } from '../view/text/theme.ts';
import { HistoryAnswers } from './history-answers.ts';
import { hasHistory } from './known-history.ts';
import { memorise, recall } from './saved-screen.ts';
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
  if (!keys.ok) throw new NetmonError('usage', keys.problems.join('; '), 'see docs/usage.md, "Keys"');
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
      const { openBareHistory } = await import('./history-answers.ts');
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

// The clipboard of a Mac, for terminals that ignore OSC 52, as Terminal.app does. Only where the user sits at that Mac: over SSH the clipboard
// that counts is the other machine's, which the terminal alone reaches.

/** Puts text into a clipboard. @returns false where that was not possible; never rejects */
export type Clipboard = (text: string) => Promise<boolean>;

const COPY_LIMITS = { timeoutMs: 2000, maxBytes: 4096 };
const PS_LIMITS = { timeoutMs: 2000, maxBytes: 16 << 20 };
/** sudo leaves none of these over. */
const SSH_VARIABLES = ['SSH_CONNECTION', 'SSH_CLIENT', 'SSH_TTY'];
const MOST_ANCESTORS = 64;

/** @returns null where there is none but the terminal's. @param edges with the process's own user, which pbcopy runs as: never root */
export function systemClipboard(edges: Edges, env: NodeJS.ProcessEnv, pid = process.pid): Clipboard | null {
  if (edges.platform !== 'darwin' || SSH_VARIABLES.some((name) => env[name] !== undefined)) return null;
  return async (text) => {
    if (edges.euid() === 0 || (await isUnderSsh(edges, pid))) return false;
    const { status } = await edges.run(edges.paths.pbcopy, [], { ...COPY_LIMITS, input: text });
    return status === 0;
  };
}

/** Whether an sshd is above a process, as far as ps tells. */
async function isUnderSsh(edges: Edges, pid: number): Promise<boolean> {
  const { stdout } = await edges.run(edges.paths.ps, PS_ARGUMENTS, PS_LIMITS);
  const processes = new Map(parsePs(stdout).map((record) => [record.pid, record]));
  let at = processes.get(pid);
  for (let step = 0; at !== undefined && step < MOST_ANCESTORS; step++) {
    if (/^sshd\b/.test(at.name.slice(at.name.lastIndexOf('/') + 1))) return true;
    at = at.ppid === at.pid ? undefined : processes.get(at.ppid);
  }
  return false;
}

// Output of a run on the terminal screen.

/** The screen: shows each sample, and at the end of a replay leaves the last one standing. */
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
