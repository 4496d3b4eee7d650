// The categories, in the order in which they are listed. Numbers of categories are indexes into this list; a user's own follow.

/** Names as shown. `Web` is what is left of web traffic, `Other` what is left of everything. */
export const CATEGORY_NAMES = [
  'Streaming',
  'Social',
  'Development',
  'Messaging',
  'Mail',
  'Meetings',
  'Gaming',
  'News',
  'Shopping',
  'Finance',
  'Cloud and storage',
  'Software updates',
  'Ads and trackers',
  'AI',
  'Web',
  'System and local network',
  'VPN',
  'Other',
] as const;
export type CategoryName = (typeof CATEGORY_NAMES)[number];

/** Index of a built-in category. */
export function categoryIndex(name: CategoryName): number {
  return CATEGORY_NAMES.indexOf(name);
}

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
