// The footer: the keys that work everywhere, or the filter input with its error under the column where it is.

import { wordOf } from '../../filter/fields.ts';
import type { Alert } from '../../model/alert.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import { counted } from '../../net/counted.ts';
import { pictureOf } from '../derive.ts';
import { isTyping } from '../input/filter-input.ts';
import { commandLabel, type KeyTable } from '../input/keymap.ts';
import { fitLine, fitParts, HINT_GAP, lineWidth, spread } from '../pane.ts';
import type { ViewState } from '../state.ts';
import { SEVERITY_ROLES } from '../tables/alerts.ts';
import { cut, displayWidth, drawable } from '../text/cells.ts';
import type { Glyphs } from '../text/glyphs.ts';
import { type Line, span } from '../text/span.ts';
import { offersAt } from './filter-help.ts';
import { footerHints } from './hints.ts';

/** What stands under an empty input, as far as there is room. */
const EXAMPLES = {
  live: ['e.g. curl', 'app:ssh', 'port:443', 'rate>1M', 'not proto:udp'],
  history: ['e.g. curl', 'app:ssh', 'host:example.com', 'not proto:udp'],
} as const;

/** Draws the footer: one line, two while a filter is typed. */
export function footerPanel(state: ViewState, live: Snapshot, glyphs: Glyphs, keys: KeyTable, width: number): readonly Line[] {
  if (state.filter.cursor !== null) return filterInput(state, live, glyphs, width);
  if (state.notice !== '') return [fitLine([span(` ${drawable(state.notice, glyphs)}`, 'accent')], width, glyphs)];
  const alert = freshAlert(state, live);
  if (alert !== null) return [fitLine(alertLine(alert, state, keys, glyphs), width, glyphs)];
  const applied = state.filter.applied;
  const right: Line =
    applied === ''
      ? []
      : [span(`/${cut(state.privacy ? glyphs.masked.repeat(6) : drawable(applied, glyphs), 40, glyphs)} `, 'filtered')];
  const room = width - 2 - displayWidth(right[0]?.text ?? '');
  return [spread([span(' '), ...fitParts(footerHints(state, keys, glyphs), room, HINT_GAP)], right, width, glyphs)];
}

/** For how long the sentence of a new alert stands in the footer, ms. */
const FRESH_MS = 20_000;

/** The newest alert that is delivered, while it is new and the user hasn't seen it among the others. */
function freshAlert({ alertsSeen, paused, popup }: ViewState, { alerts, time }: Snapshot): Alert | null {
  if (paused !== null || popup !== null) return null;
  const alert = alerts.findLast(({ held }) => held === null);
  const isFresh = alert !== undefined && alert.time > alertsSeen && Math.abs(time - alert.time) < FRESH_MS;
  return isFresh ? alert : null;
}

function alertLine({ text, severity }: Alert, state: ViewState, keys: KeyTable, glyphs: Glyphs): Line {
  const said = state.privacy ? glyphs.masked.repeat(6) : drawable(text, glyphs);
  const key = commandLabel(keys, 'events');
  return [span(` ! ${said}`, SEVERITY_ROLES[severity]), span(`  ${key}`, 'key'), span(' shows alerts', 'dim')];
}

function filterInput(state: ViewState, live: Snapshot, glyphs: Glyphs, width: number): readonly Line[] {
  const { text, cursor, problem } = state.filter;
  const at = cursor ?? 0;
  const before = drawable(text.slice(0, at), glyphs);
  const under = drawable(text.slice(at, at + 1), glyphs) || ' ';
  const after = drawable(text.slice(at + 1), glyphs);
  const prompt = ' filter: ';
  const room = width - prompt.length - 1;
  const hiddenCells = Math.max(0, displayWidth(before) + 1 - room);
  const visibleBefore = hiddenCells > 0 ? cut(before, room - 1, glyphs, 'start') : before;
  const typed: Line = [span(prompt, 'key'), span(visibleBefore), span(under, 'selected'), span(after)];
  const line = fitLine(spread(typed, offers(state, live, glyphs, width - lineWidth(typed) - 2), width, glyphs), width, glyphs);
  if (problem !== null) {
    const column = prompt.length + Math.max(0, displayWidth(drawable(text.slice(0, problem.column), glyphs)) - hiddenCells);
    const message = `column ${problem.column + 1}: ${drawable(problem.message, glyphs)}`;
    const room = width - column - 2;
    const place =
      room >= displayWidth(message) ? [span(' '.repeat(column)), span(`^ ${message}`, 'error')] : [span(` ${message}`, 'error')];
    return [line, fitLine(place, width, glyphs)];
  }
  const over = matchesText(state, live);
  const [tells, ...hints] =
    text === ''
      ? [EXAMPLES[state.view === 'history' ? 'history' : 'live'], keyHint('Tab', 'fields'), keyHint('Esc', 'back')]
      : isTyping(state)
        ? [
            [soFar(state, glyphs)],
            keyHint('Enter', state.filter.applied.trim() === '' ? 'applies it' : 'applies it all'),
            keyHint('Esc', 'clears it'),
          ]
        : [[over, ...wordHelp(text, at)], keyHint('Enter', 'keeps it'), keyHint('Esc', 'clears it')];
  const parts = [
    ...tells.map((tell, rank) => ({ rank: rank + hints.length, line: [span(tell, 'dim')] })),
    ...hints.map((hint, rank) => ({ rank, line: hint })),
  ];
  return [line, fitLine([span(' '.repeat(prompt.length)), ...fitParts(parts, room, HINT_GAP)], width, glyphs)];
}

/** How much of what the view shows the filter matches. */
function matchesText(state: ViewState, live: Snapshot): string {
  const { connections, closedHidden, asked, listeners, events, alerts } = pictureOf(state, live);
  if (state.view === 'history') return 'of what is recorded';
  if (state.view === 'dns') return counted(asked.length, 'question');
  if (state.view === 'listeners') return counted(listeners.length, 'listener');
  if (state.view === 'events') return counted(events.length + alerts.length, 'event');
  return counted(connections.length + closedHidden, 'connection');
}

/** A key of the input, which is bound for good. */
function keyHint(key: string, text: string): Line {
  return [span(key, 'key'), span(` ${text}`, 'dim')];
}

/** What of the text is in force while it is typed. */
function soFar({ filter: { applied } }: ViewState, glyphs: Glyphs): string {
  return applied.trim() === '' ? 'not applied yet' : `applied so far: ${cut(drawable(applied.trim(), glyphs), 40, glyphs)}`;
}

/** What a word before the cursor means, if it means more than its letters. */
function wordHelp(text: string, cursor: number): readonly string[] {
  const word = wordOf(/(?:^|[\s(!-])([a-z]+)\s*$/i.exec(text.slice(0, cursor))?.[1] ?? '');
  return word === undefined ? [] : [`${word.name}: ${word.help}`];
}

/** What Tab would put in, the next first. */
function offers({ filter, paused }: ViewState, live: Snapshot, glyphs: Glyphs, room: number): Line {
  if (filter.cursor === null || filter.text === '') return [];
  const { offer } = filter;
  const items =
    offer !== null && offer.items.length > 1
      ? [...offer.items.slice(offer.index + 1), ...offer.items.slice(0, offer.index + 1)]
      : offersAt(filter.text, filter.cursor, paused ?? live).items.map(({ text }) => text);
  const typed = filter.text.slice(0, filter.cursor);
  if (items.length === 0 || (items.length === 1 && typed.endsWith(items[0] as string)) || room < 12) return [];
  return [
    span('Tab ', 'key'),
    span(cut(drawable(items.slice(0, 8).join(' '), glyphs), Math.min(room, 60) - 5, glyphs), 'dim'),
    span(' '),
  ];
}
