// What the user silenced, in a small file that all runs share: read again when it changes, and written whole, as the screen's choices are. A run
// that can't write it goes by its own mutes.

import { statSync } from 'node:fs';
import { ALERT_KINDS, type Mute } from '../model/alert.ts';
import { systemClock } from '../system/clock.ts';
import { LONGEST_SAVED, readSavedScreen, type SavedPlace, writeSavedScreen } from './saved-screen.ts';

const VERSION = 1;
/** Mutes that are kept; the oldest go first. */
const MOST = 100;
/** As long as the sanitiser leaves names. */
const LONGEST_NAME = 512;
/** How often it is looked whether the file changed, ms. */
const LOOK_MS = 2000;

/** The mutes in force. */
export class MuteFile {
  readonly #place: SavedPlace | null;
  #mutes: readonly Mute[] = [];
  #looked = Number.NEGATIVE_INFINITY;
  /** Size and time of the file as it was read last. */
  #stamp = '';

  /** @param place null keeps them for this run alone */
  constructor(place: SavedPlace | null) {
    this.#place = place;
  }

  /** All of them, ended ones too; the watchman knows the time that counts. */
  list(): readonly Mute[] {
    const now = systemClock.monotonic();
    if (this.#place === null || now - this.#looked < LOOK_MS) return this.#mutes;
    this.#looked = now;
    const stamp = stampOf(this.#place.path);
    if (stamp === this.#stamp) return this.#mutes;
    this.#stamp = stamp;
    this.#mutes = stamp === '' ? [] : mutesIn(readSavedScreen(this.#place)); // whoever removed it wants to hear of everything again
    return this.#mutes;
  }

  /** Adds one. @returns what went wrong; empty if nothing did */
  add(mute: Mute): string {
    return this.#keep([...this.#others(mute), mute]);
  }

  /** Ends one. @returns what went wrong; empty if nothing did */
  remove(mute: Mute): string {
    return this.#keep(this.#others(mute));
  }

  /** Those of now, from the file as it is now, that silence something else. */
  #others(mute: Mute): readonly Mute[] {
    this.#looked = Number.NEGATIVE_INFINITY;
    const now = systemClock.now();
    return this.list().filter((known) => (known.until === null || known.until > now) && !isSame(known, mute));
  }

  #keep(mutes: readonly Mute[]): string {
    this.#mutes = fitting(mutes.slice(-MOST));
    if (this.#place === null) return 'only for this run: there is no folder to keep it in';
    if (!writeSavedScreen({ version: VERSION, mutes: this.#mutes }, this.#place))
      return `only for this run: ${this.#place.path} can't be written`;
    this.#stamp = stampOf(this.#place.path);
    return '';
  }
}

/** Drops the oldest until a file of them can be read again. */
function fitting(mutes: readonly Mute[]): readonly Mute[] {
  let first = 0;
  while (JSON.stringify({ version: VERSION, mutes: mutes.slice(first) }).length >= LONGEST_SAVED) first++;
  return mutes.slice(first);
}

/** Size and time of a file; empty if it can't be seen. */
function stampOf(path: string): string {
  try {
    const { size, mtimeMs, ino } = statSync(path);
    return `${size} ${mtimeMs} ${ino}`;
  } catch {
    return '';
  }
}

/** What of a file are mutes. */
export function mutesIn(saved: unknown): readonly Mute[] {
  if (!isRecord(saved) || saved['version'] !== VERSION || !Array.isArray(saved['mutes'])) return [];
  return saved['mutes'].flatMap((one: unknown): Mute[] => {
    if (!isRecord(one)) return [];
    const { kind = null, rule = null, app = null, domain = null, until = null } = one;
    const known = kind === null ? null : ALERT_KINDS.find((each) => each === kind);
    if (known === undefined || !isName(rule) || !isName(app) || !isName(domain) || !isTime(until)) return [];
    // One that names nothing would silence everything.
    const isAll = known === null && rule === null && app === null && domain === null;
    return isAll ? [] : [{ kind: known, rule, app, domain, until }];
  });
}

function isSame(a: Mute, b: Mute): boolean {
  return a.kind === b.kind && a.rule === b.rule && a.app === b.app && a.domain === b.domain;
}

/** A time that a date can have; null is for good. */
function isTime(value: unknown): value is number | null {
  return value === null || (typeof value === 'number' && Number.isFinite(new Date(value).getTime()));
}

function isName(value: unknown): value is string | null {
  return value === null || (typeof value === 'string' && value !== '' && value.length <= LONGEST_NAME);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
