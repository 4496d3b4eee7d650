// Policies: what apps may reach, as plain data. Reading and judging are done elsewhere.

/** How something that an app reached stands to its policy, best first. The last two need a decision. */
export const VERDICTS = ['name', 'address', 'network', 'unjudged', 'undeclared', 'drift'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** Sources of names that say nothing about what was asked for: the other end or its network chose them. */
export const WEAK_NAMES: readonly string[] = ['none', 'ptr', 'inner'];

/** One entry of a list, and what it allows. */
export interface Rule {
  /** As it is written. */
  readonly text: string;
  readonly what:
    | { readonly kind: 'any' }
    /** A host, or with `below` all hosts under it. */
    | { readonly kind: 'name'; readonly name: string; readonly below: boolean }
    /** The first bits of an address in four words, v4 mapped into v6. */
    | { readonly kind: 'address'; readonly words: Int32Array; readonly bits: number }
    | { readonly kind: 'network'; readonly asn: number };
  /** null for all ports. */
  readonly port: number | null;
}

/** What one app may reach. */
export interface AppPolicy {
  readonly allow: readonly Rule[];
  /** What only its network speaks for, and what can't be judged, counts as drift. */
  readonly strict: boolean;
}

/** What all apps may reach. */
export interface Policy {
  /** Apps that it doesn't declare count as drift. */
  readonly strict: boolean;
  readonly apps: ReadonlyMap<string, AppPolicy>;
}

/** A policy that was read from a file. */
export interface PolicyFile {
  /** Absolute. */
  readonly path: string;
  /** File beside it with what this program added. */
  readonly additionsPath: string;
  /** What both files allow. */
  readonly policy: Policy;
}
