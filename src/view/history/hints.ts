// Keys worth knowing in the view of history, for the footer.

import type { Command } from '../action.ts';

/** A word for commands whose keys stand before it; lower ranks join first. */
export interface HistoryHint {
  readonly commands: readonly Command[];
  readonly text: string;
  readonly rank: number;
}

/** In the order in which they stand. */
export const HISTORY_HINTS: readonly HistoryHint[] = [
  { commands: ['collapse', 'expand'], text: 'step', rank: 2 },
  { commands: ['shorter', 'longer'], text: 'zoom', rank: 3 },
  { commands: ['mark'], text: 'mark', rank: 4 },
  { commands: ['now'], text: 'now', rank: 7 },
  { commands: ['details'], text: 'open', rank: 5 },
  { commands: ['next-pane'], text: 'pane', rank: 6 },
  { commands: ['filter'], text: 'filter', rank: 8 },
  { commands: ['sort-next'], text: 'sort', rank: 10 },
  { commands: ['units'], text: 'units', rank: 11 },
  { commands: ['save-history'], text: 'write', rank: 12 },
  { commands: ['help'], text: 'help', rank: 1 },
  { commands: ['quit'], text: 'quit', rank: 9 },
];
