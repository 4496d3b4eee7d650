// The built-in categories, in the order in which they are listed. A category's number is its index here; the user's own follow.

/** Names as shown. `Web` is the rest of web traffic, `Other` the rest of everything. */
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

/** What decided, most trusted first. */
export type RuleSource = 'user' | 'domain' | 'app' | 'application' | 'port' | 'default';

/** A category and the rule that gave it. */
export interface Ruling {
  /** Index into the category names. */
  readonly category: number;
  /** The rule in words for the user: `netflix.com (Netflix)`. */
  readonly rule: string;
  readonly source: RuleSource;
}
