// What a configuration file says, checked, and where each value came from. Types only.

import type { SettingName } from './settings.ts';

/** A checked configuration file. Only what it sets is there. */
export interface ConfigValues {
  /** Texts of the settings, as a flag would give them. */
  readonly settings: Readonly<Partial<Record<SettingName, readonly string[]>>>;
  readonly history: {
    readonly path?: string | undefined;
    readonly enabled?: boolean | undefined;
    readonly size?: string | undefined;
  };
  readonly budget: {
    readonly amount?: string | undefined;
    readonly day?: number | undefined;
    readonly interface?: string | undefined;
  };
  readonly place: { readonly country?: string | undefined; readonly asn?: string | undefined };
  readonly categories: Readonly<Record<string, readonly string[]>>;
  readonly keys: Readonly<Record<string, readonly string[]>>;
}

/** The first thing that is wrong with a configuration file. */
export interface ConfigFault {
  /** Keys from the top to the one in question. */
  readonly path: readonly string[];
  /** What it must be, to follow "is not"; null for a key that is not known. */
  readonly noun: string | null;
  /** Keys that may stand beside an unknown one. */
  readonly known: readonly string[];
}

/** A checked file and where its keys stand. */
export interface ConfigFile extends ConfigValues {
  readonly path: string;
  readonly lines: TomlLines;
}

/** Lines of keys, from 1. */
export interface TomlLines {
  /** Line on which the statement that defines the key begins; the nearest parent's where the key has none, 1 at the least. */
  lineOf(path: readonly string[]): number;
}

/** A value and where it came from: `flag --interval`, `NETMON_INTERVAL`, `PATH:LINE` or `default`. */
export interface Sourced<T> {
  readonly value: T;
  readonly origin: string;
}
