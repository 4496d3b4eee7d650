// Why a flow is in a category.

/** What decided, in the order of trust. */
export type RuleSource = 'user' | 'domain' | 'app' | 'application' | 'port' | 'default';

/** A category and the rule that gave it. */
export interface Ruling {
  /** Index into the names. */
  readonly category: number;
  /** The rule as a user may read it: `netflix.com (Netflix)`. */
  readonly rule: string;
  readonly source: RuleSource;
}
