// Pickers: the interfaces to capture on, what is muted, and the format of an export.

import { type Alert, type Mute, placeOfAlert, silences } from '../../model/alert.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import type { InterfaceItem } from '../../model/terms.ts';
import { type Command, EXPORT_FORMATS, type Step, still } from '../action.ts';
import { exportOf } from '../export-rows.ts';
import { MUTE_TIMES } from '../panels/pickers.ts';
import type { MuteItem, Popup, ViewState } from '../state.ts';
import { isAllowable } from '../tables/alerts.ts';
import type { Glyphs } from '../text/glyphs.ts';
import { selectedRow } from './navigation.ts';

type Interfaces = Extract<Popup, { kind: 'interfaces' }>;
type Export = Extract<Popup, { kind: 'export' }>;
type MuteChoice = Extract<Popup, { kind: 'mute' }>;

/** Opens the interface picker and asks for the interfaces. */
export function openInterfaces(state: ViewState, live: Snapshot): Step {
  if (live.capture.file !== null)
    return { state: { ...state, notice: 'reading a file: there is no interface to choose' }, effects: [] };
  const popup: Interfaces = { kind: 'interfaces', items: null, index: 0, chosen: [], note: null };
  return { state: { ...state, popup }, effects: [{ type: 'list-interfaces' }] };
}

/** Takes the list that was asked for; the cursor begins on one that is captured now. */
export function listedInterfaces(state: ViewState, items: readonly InterfaceItem[]): ViewState {
  const { popup } = state;
  if (popup?.kind !== 'interfaces') return state;
  const index = items.findIndex(({ isCaptured }) => isCaptured);
  return { ...state, popup: { ...popup, items, index: Math.max(0, index) } };
}

/** Closes the picker once the choice is captured. One that was refused stays marked, beside the reason. */
export function capturedOn(state: ViewState, isTaken: boolean, text: string): ViewState {
  const { popup } = state;
  if (popup?.kind !== 'interfaces') return { ...state, notice: text };
  return isTaken ? { ...state, popup: null, notice: text } : { ...state, popup: { ...popup, note: text } };
}

/** Keys in the interface picker: Space marks several, Enter asks for them, or for the one under the cursor. */
export function pickInterface(state: ViewState, popup: Interfaces, command: Command, moved: number | null): Step {
  const items = popup.items ?? [];
  if (command === 'back' || command === 'interface') return still({ ...state, popup: null });
  if (moved !== null)
    return still({ ...state, popup: { ...popup, index: Math.min(Math.max(0, moved), Math.max(0, items.length - 1)) } });
  const item = items[popup.index];
  if (item === undefined) return still(state);
  if (command === 'pause') {
    if (item.name === null) return still({ ...state, popup: { ...popup, chosen: [] } });
    const { name } = item;
    const chosen = popup.chosen.includes(name) ? popup.chosen.filter((one) => one !== name) : [...popup.chosen, name];
    return still({ ...state, popup: { ...popup, chosen } });
  }
  if (command !== 'details') return still(state);
  const { name, isRoute } = item;
  const interfaces = name !== null ? (popup.chosen.length > 0 ? popup.chosen : [name]) : isRoute ? null : [];
  const names = interfaces === null ? 'the default route' : interfaces.join(', ') || 'all interfaces';
  return {
    state: { ...state, popup: { ...popup, note: `opening ${names}` } },
    effects: [{ type: 'capture-on', interfaces }],
  };
}

/**
 * Opens the ways to silence alerts like the selected one, and the mutes in force: those that silence it come first. Without an alert it has the
 * mutes alone.
 */
export function openMute(state: ViewState, live: Snapshot): ViewState {
  const alert = selectedAlert(state, live);
  const mutes = live.capture.mutes.filter(({ until }) => until === null || live.time < until);
  const unmute = (mute: Mute): MuteItem => ({ type: 'unmute', mute });
  if (alert === null && mutes.length === 0) return { ...state, notice: NO_ALERT };
  const isOwn = (mute: Mute) => alert !== null && silences(mute, alert, live.time);
  const items = [
    ...mutes.filter(isOwn).map(unmute),
    ...(alert === null ? [] : waysToMute(alert)),
    ...mutes.filter((mute) => !isOwn(mute)).map(unmute),
  ];
  return { ...state, popup: { kind: 'mute', items, index: 0 } };
}

/** From the alerts most like this one to those least like it. What a rule raised is of its rule first, because every rule's kind is the same. */
function waysToMute(alert: Alert): readonly MuteItem[] {
  const { kind, rule = null, app } = alert;
  const domain = placeOfAlert(alert);
  const none = { kind: null, rule: null, app: null, domain: null };
  const scopes = [
    { kind, rule, app, domain },
    ...(rule === null ? [] : [{ ...none, kind, rule }]),
    { ...none, app },
    { ...none, domain },
    { ...none, kind },
  ].filter((scope, at, all) => {
    const isSame = (other: typeof scope) =>
      other.kind === scope.kind && other.rule === scope.rule && other.app === scope.app && other.domain === scope.domain;
    return !isSame(none) && all.findIndex(isSame) === at;
  });
  return scopes.flatMap((mute) => MUTE_TIMES.map((lastsMs): MuteItem => ({ type: 'mute', mute, lastsMs })));
}

/** Keys in the choice of what is silenced. */
export function pickMute(state: ViewState, popup: MuteChoice, command: Command, moved: number | null): Step {
  if (command === 'back' || command === 'mute') return still({ ...state, popup: null });
  if (moved !== null)
    return still({ ...state, popup: { ...popup, index: Math.min(Math.max(0, moved), popup.items.length - 1) } });
  const item = popup.items[popup.index];
  if (command !== 'details' || item === undefined) return still(state);
  const notice = item.type === 'mute' ? 'muted' : 'no longer muted';
  return { state: { ...state, popup: null, notice }, effects: [item] };
}

/**
 * Allows what the selected alert is about: alerts of its kind about this app and domain are muted for good. What left the policy is added to
 * it.
 */
export function allow(state: ViewState, live: Snapshot): Step {
  const alert = selectedAlert(state, live);
  if (alert === null) return still({ ...state, notice: NO_ALERT });
  const { kind, app, host } = alert;
  const domain = placeOfAlert(alert);
  if (kind === 'policy' && app !== null && host !== null) {
    const what = state.privacy ? 'what this is about' : `${app} to reach ${host}`;
    return { state: { ...state, notice: `the policy allows ${what} from now on` }, effects: [{ type: 'allow', app, host }] };
  }
  if (!isAllowable(alert)) return still({ ...state, notice: `a ${kind} alert can't be allowed: m mutes those like it` });
  const what = [kind, app === null ? '' : `by ${app}`, domain === null ? '' : `about ${domain}`].filter((part) => part !== '');
  const notice = `allowed from now on: ${state.privacy ? kind : what.join(' ')}`;
  return { state: { ...state, notice }, effects: [{ type: 'mute', mute: { kind, rule: null, app, domain }, lastsMs: null }] };
}

const NO_ALERT = 'select an alert first: they are in the view of events';

function selectedAlert(state: ViewState, live: Snapshot): Alert | null {
  if (state.pane !== 'alerts') return null;
  return (selectedRow(state, live) as Alert | undefined) ?? null;
}

/** Opens the choice of a form. */
export function openExport(state: ViewState): ViewState {
  return { ...state, popup: { kind: 'export', index: 0 } };
}

/** Keys in the choice of a form. */
export function pickExport(
  state: ViewState,
  popup: Export,
  command: Command,
  moved: number | null,
  live: Snapshot,
  glyphs: Glyphs,
): Step {
  if (command === 'back' || command === 'export') return still({ ...state, popup: null });
  if (moved !== null)
    return still({ ...state, popup: { ...popup, index: Math.min(Math.max(0, moved), EXPORT_FORMATS.length - 1) } });
  if (command !== 'details') return still(state);
  const format = EXPORT_FORMATS[popup.index] ?? 'csv';
  const closed = { ...state, popup: null };
  return {
    state: { ...closed, notice: 'writing the file' },
    effects: [{ type: 'export', format, table: exportOf(closed, live, glyphs) }],
  };
}
