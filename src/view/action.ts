// Actions and effects, as plain data: what the reducer takes in, and what it asks of the outside.

import type { Filter } from '../filter/filter.ts';
import type { Mute } from '../model/alert.ts';
import type { HistoryAnswer } from '../model/history.ts';
import type { Average } from '../model/options.ts';
import type { PacketPage } from '../model/packet-page.ts';
import type { RangeTotals } from '../model/range-totals.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { InterfaceItem } from '../model/terms.ts';
import type { HistoryPane, HistoryRequest, HistorySlot } from './history/state.ts';
import type { Followed, TableName, ViewState } from './state.ts';

/** Commands: the words a key is bound to in the keymap and in the config file. */
export const COMMANDS = [
  'quit',
  'help',
  'up',
  'down',
  'first',
  'last',
  'page-up',
  'page-down',
  'collapse',
  'expand',
  'next-pane',
  'previous-pane',
  'zoom',
  'lite',
  'overview',
  'apps',
  'connections',
  'hosts',
  'categories',
  'interfaces',
  'events',
  'history',
  'dns',
  'listeners',
  'group',
  'shorter',
  'longer',
  'mark',
  'now',
  'save-history',
  'details',
  'back',
  'filter',
  'alike',
  'sort-next',
  'sort-previous',
  'sort-direction',
  'pause',
  'average',
  'freeze',
  'pin',
  'closed',
  'count-from-now',
  'names',
  'services',
  'units',
  'privacy',
  'lineage',
  'containers',
  'follow',
  'machines',
  'paths',
  'capture',
  'chart-curve',
  'chart-scales',
  'theme',
  'interface',
  'mute',
  'allow',
  'export',
  'packets',
  'digest',
  'copy',
  'redraw',
  'suspend',
] as const;
export type Command = (typeof COMMANDS)[number];

/** One thing that happened. */
export type Action =
  | { readonly type: 'command'; readonly command: Command }
  /** A key in the filter input: a character, or an editing key by name. */
  | { readonly type: 'edit'; readonly edit: Edit; readonly text: string }
  /** No key was pressed in the filter input for `PAUSE_MS`. */
  | { readonly type: 'typing-paused' }
  /** The answer to `list-interfaces`. */
  | { readonly type: 'interfaces'; readonly items: readonly InterfaceItem[] }
  /** The answer to `capture-on`; outside text. */
  | { readonly type: 'captured-on'; readonly isTaken: boolean; readonly text: string }
  /** The outcome of an effect in one line; outside text. */
  | { readonly type: 'notice'; readonly text: string }
  /** What is followed now. `opened` has the rows of the tree that lead to a session, itself first, to be shown; null leaves the screen as it is. */
  | { readonly type: 'followed'; readonly sessions: readonly Followed[]; readonly opened: readonly string[] | null }
  /** A new snapshot is about to be shown. */
  | { readonly type: 'snapshot' }
  /** The theme that suits the terminal's background. */
  | { readonly type: 'theme'; readonly theme: string }
  | { readonly type: 'resize'; readonly columns: number; readonly rows: number }
  /** A row was clicked. */
  | { readonly type: 'select'; readonly table: TableName; readonly id: string }
  /** A column header was clicked. */
  | { readonly type: 'sort'; readonly table: TableName; readonly column: string }
  | { readonly type: 'scroll'; readonly table: TableName; readonly by: number }
  /** The answer to one question of a `history` effect. */
  | { readonly type: 'history'; readonly slot: HistorySlot; readonly serial: number; readonly answer: HistoryAnswer }
  /** A row of history was clicked. */
  | { readonly type: 'history-select'; readonly pane: HistoryPane; readonly id: string }
  /** The wheel over a table of history. */
  | { readonly type: 'history-scroll'; readonly pane: HistoryPane; readonly by: number }
  /** A click or drag in the chart, in cells from its left end; `anchor` is where a drag began. */
  | { readonly type: 'chart'; readonly cell: number; readonly anchor: number | null }
  /** The answer to `watch-packets`; null if that connection is gone. */
  | { readonly type: 'packets'; readonly page: PacketPage | null }
  /** The answer to `range-totals`; null when nothing of that range is kept. */
  | { readonly type: 'range-totals'; readonly from: number; readonly to: number; readonly answer: RangeTotals | null };

/** Editing keys of a one-line input. */
export type Edit =
  | 'insert'
  | 'backspace'
  | 'delete'
  | 'left'
  | 'right'
  | 'home'
  | 'end'
  | 'clear'
  | 'word'
  | 'older'
  | 'newer'
  | 'complete'
  | 'accept'
  | 'cancel';

/** What the reducer asks the caller to do. */
export type Effect =
  | { readonly type: 'quit' }
  | { readonly type: 'suspend' }
  | { readonly type: 'redraw' }
  /** Questions to the recorded history; each is answered by an action, late or not at all. */
  | { readonly type: 'history'; readonly requests: readonly HistoryRequest[] }
  /** Write the history file now. */
  | { readonly type: 'save-history' }
  /** Asks what moved between two times, epoch ms. An action of the same name answers. */
  | { readonly type: 'range-totals'; readonly from: number; readonly to: number }
  /** Keep the last packets of this connection from now on. The action `packets` answers, then each snapshot has them. */
  | { readonly type: 'watch-packets'; readonly id: string }
  /** Count what this filter matches from now on; `from` is the baseline of the totals, `average` the seconds over which its rates are means. */
  | { readonly type: 'match'; readonly filter: Filter | null; readonly from: Snapshot | null; readonly average: Average }
  /** Asks which interfaces there are; the action `interfaces` answers. */
  | { readonly type: 'list-interfaces' }
  /** Capture on these from now on; an empty list means all, null the default route's, followed. The action `captured-on` answers. */
  | { readonly type: 'capture-on'; readonly interfaces: readonly string[] | null }
  /** Write these packets into a new file; what was written last, go on with; null stops what goes on. */
  | { readonly type: 'packets'; readonly asked: PacketsAsked | null }
  /** Write this into a new file. */
  | { readonly type: 'export'; readonly format: ExportFormat; readonly table: ExportTable }
  /** Keep alerts like this from being delivered, for so long, ms; null is for good. */
  | { readonly type: 'mute'; readonly mute: Omit<Mute, 'until'>; readonly lastsMs: number | null }
  /** End a mute. */
  | { readonly type: 'unmute'; readonly mute: Mute }
  /** Follow this process and all that it starts from now on, or write the receipt of that. The action `followed` answers. */
  | { readonly type: 'follow'; readonly pid: number }
  /** Add to the policy that this app may reach this host. */
  | { readonly type: 'allow'; readonly app: string; readonly host: string }
  /** Compute the SHA-256 of this process's executable: details have it once it is known. */
  | { readonly type: 'digest'; readonly process: number }
  /** Text for the clipboard: sanitised, one line. */
  | { readonly type: 'copy'; readonly text: string }
  /** Show this theme; `keep` when the user picked it, not for a preview. */
  | { readonly type: 'theme'; readonly name: string; readonly keep: boolean };

/** Packets that the user asks for. */
export interface PacketsAsked {
  /** The same for the same row: asked for again, its file goes on. */
  readonly key: string;
  /** A word or two for the header and for the name of the file: outside text. */
  readonly name: string;
  /** Which packets they are, as a sentence says it: `of curl`. */
  readonly what: string;
  /** Matches their flows; null for all, frames without addresses among them. */
  readonly filter: Filter | null;
  /** Serial number of the one flow that they belong to; null for any. */
  readonly flow: number | null;
  /** Times of the first and last, epoch ms; null for all that are kept. */
  readonly from: number | null;
  readonly to: number | null;
}

/** What a reducer gives back: the next state, and what the outside is asked to do. */
export interface Step {
  readonly state: ViewState;
  readonly effects: readonly Effect[];
}

/** A step without effects. */
export function still(state: ViewState): Step {
  return { state, effects: [] };
}

/** Forms of an export, in the order in which they are offered. */
export const EXPORT_FORMATS = ['csv', 'json'] as const;

export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** A table for a file. */
export interface ExportTable {
  readonly name: TableName | `history-${HistoryPane}`;
  /** Time of the picture, epoch ms. */
  readonly time: number;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly ExportValue[])[];
}

/** A cell: text as it is shown, or a number in bytes, bytes/s, milliseconds. */
export type ExportValue = string | number | null;
