// What a configuration file may hold. Settings are checked by the same table as flags and variables; this adds the tables that only a
// file has, and names the first thing that is wrong.

import * as v from 'valibot';
import { sanitize } from '../../net/text.ts';
import { BUDGET_NOUN, budgetAmount } from './budget-settings.ts';
import { historySize, SIZE_NOUN } from './history-settings.ts';
import { SETTING_NAMES, SETTINGS, type SettingName } from './settings.ts';
import type { ConfigFault, ConfigValues } from './values.ts';

const NOUN = {
  table: 'a table',
  history: 'the path of a file',
  place: 'the path of an MMDB file',
  domains: 'a list of domain names, words and lists such as ["example.com", "file:ads.txt"]',
  keys: 'a list of keys such as ["x"]',
  count: 'of a size that is kept (256 entries, 4096 values each)',
  name: 'a name without control characters',
} as const;
const DOMAIN = /^(?!-)[\p{L}\p{N}_-]{1,63}(\.[\p{L}\p{N}_-]{1,63})*$/u;

const settingEntries = Object.fromEntries(SETTING_NAMES.map((name) => [name, v.optional(settingSchema(name))])) as Record<
  SettingName,
  v.OptionalSchema<v.GenericSchema<unknown, string[]>, undefined>
>;
const name = v.pipe(
  v.string(),
  v.check((text) => text !== '' && text.length <= 64 && sanitize(text) === text, NOUN.name),
);
const historySchema = v.strictObject(
  {
    path: v.optional(pathOf(NOUN.history)),
    enabled: v.optional(v.boolean('true or false')),
    size: v.optional(
      v.pipe(
        v.string(SIZE_NOUN),
        v.check((text) => historySize(text) !== null, SIZE_NOUN),
      ),
    ),
  },
  NOUN.table,
);
const budgetSchema = v.pipe(
  v.strictObject(
    {
      amount: v.optional(
        v.pipe(
          v.string(BUDGET_NOUN.amount),
          v.check((text) => budgetAmount(text) !== null, BUDGET_NOUN.amount),
        ),
      ),
      day: v.optional(
        v.pipe(
          v.number(BUDGET_NOUN.day),
          v.check((day) => Number.isInteger(day) && day >= 1 && day <= 31, BUDGET_NOUN.day),
        ),
      ),
      interface: v.optional(
        v.pipe(
          v.string(BUDGET_NOUN.interface),
          v.check((text) => /^\S{1,128}$/.test(text) && sanitize(text) === text, BUDGET_NOUN.interface),
        ),
      ),
    },
    BUDGET_NOUN.table,
  ),
  v.check(({ amount }) => amount !== undefined, BUDGET_NOUN.table),
);
const placeSchema = v.strictObject({ country: v.optional(pathOf(NOUN.place)), asn: v.optional(pathOf(NOUN.place)) }, NOUN.table);
const SCHEMA = v.strictObject({
  ...settingEntries,
  history: v.optional(historySchema, {}),
  budget: v.optional(budgetSchema),
  place: v.optional(placeSchema, {}),
  categories: v.optional(listsOf(NOUN.domains, isCategoryEntry), {}),
  keys: v.optional(
    listsOf(NOUN.keys, (text) => text !== '' && text.length <= 32 && sanitize(text) === text),
    {},
  ),
});
const TOP_KEYS = Object.keys(SCHEMA.entries);

/** Checks the parsed contents of a configuration file. */
export function checkConfig(contents: unknown): ConfigValues | ConfigFault {
  const short = shortBudget(contents);
  const result = v.safeParse(SCHEMA, short ?? contents, { abortEarly: true });
  if (result.success) {
    const { history, budget = {}, place, categories, keys, ...settings } = result.output;
    return { settings: settings as ConfigValues['settings'], history, budget, place, categories, keys };
  }
  const [issue] = result.issues;
  const path = (issue.path ?? []).map((item) => String(item.key)).slice(0, 2);
  if (short !== null && path[0] === 'budget') return { path: ['budget'], noun: BUDGET_NOUN.amount, known: [] };
  const isUnknown = issue.type === 'strict_object' && issue.expected === 'never';
  const inner = path[0] === 'place' ? placeSchema : path[0] === 'budget' ? budgetSchema.pipe[0] : historySchema;
  return { path, noun: isUnknown ? null : issue.message, known: path.length > 1 ? Object.keys(inner.entries) : TOP_KEYS };
}

/** `budget = "500 GB"` is short for a table with that amount alone. @returns the contents with the table, null where it is not so short */
function shortBudget(contents: unknown): object | null {
  if (typeof contents !== 'object' || contents === null || !('budget' in contents)) return null;
  return typeof contents.budget === 'string' ? { ...contents, budget: { amount: contents.budget } } : null;
}

/** A setting as a file writes it: true or false, a string, for interfaces a list too. Comes out as the texts of a flag. */
function settingSchema(setting: SettingName): v.GenericSchema<unknown, string[]> {
  const { noun, isToggle, fromTexts } = SETTINGS[setting];
  const form = isToggle
    ? v.boolean(noun)
    : setting === 'interface'
      ? v.union([v.string(), v.array(v.string())], noun)
      : v.string(noun);
  return v.pipe(
    form as v.GenericSchema<unknown, boolean | string | string[]>,
    v.transform((value) => (Array.isArray(value) ? value : [String(value)])),
    v.check((texts) => fromTexts(texts) !== undefined, noun),
  );
}

/** A domain or a word, bare or as in a domain list (`full:example.com`), or the path of such a list (`file:ads.txt`). */
function isCategoryEntry(text: string): boolean {
  if (text.startsWith('file:')) return text.length > 5 && text.length <= 1024 && sanitize(text) === text;
  const name = text.replace(/^(?:domain|full|keyword):/, '');
  return name.length <= 253 && DOMAIN.test(name);
}

function pathOf(noun: string) {
  return v.pipe(
    v.string(noun),
    v.check((text) => text !== '' && text.length <= 1024 && sanitize(text) === text, noun),
  );
}

function listsOf(noun: string, accepts: (text: string) => boolean) {
  const list = v.pipe(v.array(v.pipe(v.string(noun), v.check(accepts, noun)), noun), v.maxLength(4096, NOUN.count));
  return v.pipe(
    v.record(name, list, NOUN.table),
    v.check((table) => Object.keys(table).length <= 256, NOUN.count),
  );
}
