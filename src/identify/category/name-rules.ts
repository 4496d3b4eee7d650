// The rules for apps and for what flows speak. Read once, when first asked.

import { categoryIndex } from './category-names.ts';
import { nameLines } from './rule-text.ts';
import { APP_RULES, APPLICATION_RULES } from './rules/app-rules.ts';
import type { Ruling } from './ruling.ts';

/** Names to rulings. The ones of `[Web]` stand apart: a browser and HTTPS carry anything, so they count last. */
export interface NameRules {
  /** Apps by name in lower case. */
  readonly apps: ReadonlyMap<string, Ruling>;
  readonly browsers: ReadonlyMap<string, Ruling>;
  readonly applications: ReadonlyMap<string, Ruling>;
  readonly carriers: ReadonlyMap<string, Ruling>;
}

let rules: NameRules | null = null;

/** Rules for names; the same object at each call. */
export function nameRules(): NameRules {
  if (rules !== null) return rules;
  const apps = new Map<string, Ruling>();
  const browsers = new Map<string, Ruling>();
  const applications = new Map<string, Ruling>();
  const carriers = new Map<string, Ruling>();
  const web = categoryIndex('Web');
  for (const { category, name } of nameLines(APP_RULES))
    (category === web ? browsers : apps).set(name.toLowerCase(), { category, rule: `app ${name}`, source: 'app' });
  for (const { category, name } of nameLines(APPLICATION_RULES))
    (category === web ? carriers : applications).set(name, { category, rule: `application ${name}`, source: 'application' });
  rules = { apps, browsers, applications, carriers };
  return rules;
}
