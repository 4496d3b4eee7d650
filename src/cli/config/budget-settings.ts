// The monthly budget as a configuration file writes it: an amount, the day on which a period begins, perhaps an interface. Pure.

import type { BudgetPlan } from '../../model/options.ts';
import { place } from '../../net/quote.ts';
import type { ConfigFile, Sourced } from './values.ts';

/** What is in force about the budget; part of the configuration. */
export interface BudgetSettings {
  /** As written, `500 GB`; null: there is none. */
  readonly budgetAmount: Sourced<string | null>;
  readonly budgetDay: Sourced<number>;
  /** null: everything that is recorded. */
  readonly budgetInterface: Sourced<string | null>;
}

/** What values must be, to follow "is not". */
export const BUDGET_NOUN = {
  table: 'a table with an amount, such as amount = "500 GB"',
  amount: 'an amount of bytes from 1 MB to 9 PB, such as "500 GB" or "465.5 GiB"',
  day: 'a day of the month, 1 to 31',
  interface: "an interface's name",
} as const;

/** Powers of 1000 or 1024 by the letter. */
const POWERS = 'kmgtp';
const SMALLEST = 1_000_000;
const LARGEST = 9_000_000_000_000_000;

/** An amount, and whether its prefix is one of 1024. */
export interface Amount {
  readonly bytes: number;
  readonly isBinary: boolean;
}

/**
 * Bytes of `500 GB`, `1.5TiB`, `250 g`; null for what is no amount of a budget. Reckoned in whole numbers; what a fraction leaves of a byte is
 * rounded. `Gb` is refused: it may mean bits.
 */
export function budgetAmount(text: string): Amount | null {
  const match = /^(\d{1,16})(?:\.(\d{1,6}))? ?(?:([kmgtpKMGTP])(i?)B?|([kmgtp])(i?)b)$/.exec(text);
  if (match === null) return null;
  const [, whole = '', fraction = ''] = match;
  const letter = (match[3] ?? match[5] ?? '').toLowerCase();
  const isBinary = (match[4] ?? match[6] ?? '') !== '';
  const unit = (isBinary ? 1024n : 1000n) ** BigInt(POWERS.indexOf(letter) + 1);
  const parts = 10n ** BigInt(fraction.length);
  const bytes = Number((BigInt(whole + fraction) * unit * 2n + parts) / (parts * 2n));
  return bytes >= SMALLEST && bytes <= LARGEST ? { bytes, isBinary } : null;
}

/** What is in force. */
export function budgetSettings(file: ConfigFile | null): BudgetSettings {
  const { amount, day, interface: name } = file?.budget ?? {};
  const from = <T>(key: string, value: T | undefined, initial: T): Sourced<T> => {
    const isSet = file !== null && value !== undefined;
    return { value: value ?? initial, origin: isSet ? place(file.path, file.lines.lineOf(['budget', key])) : 'default' };
  };
  return {
    budgetAmount: from<string | null>('amount', amount, null),
    budgetDay: from('day', day, 1),
    budgetInterface: from<string | null>('interface', name, null),
  };
}

/** The budget of a run; null where none is set. */
export function budgetPlan({ budgetAmount: amount, budgetDay, budgetInterface }: BudgetSettings): BudgetPlan | null {
  const read = amount.value === null ? null : budgetAmount(amount.value);
  if (read === null) return null;
  return {
    bytes: read.bytes,
    day: budgetDay.value,
    interface: budgetInterface.value,
    units: read.isBinary ? 'bytes' : 'bytes-decimal',
  };
}
