// Reads the domain lists that `[categories]` names (`file:PATH`) and replaces each name with its entries.

import { importV2fly, type ListText } from '../../identify/category/v2fly.ts';
import { NetmonError } from '../../model/errors.ts';
import { quoted } from '../../net/quote.ts';
import { trusted } from './find.ts';
import { ownerOf, type Surroundings } from './surroundings.ts';

type CategoryEntries = Readonly<Record<string, readonly string[]>>;

const PREFIX = 'file:';
/** Bound for the entries of all lists together; each takes about 200 bytes. */
const MOST_ENTRIES = 200_000;

/**
 * The categories with the entries of their lists.
 *
 * Under root a list must belong to the user or to root, and nobody else may write it, as with the configuration file.
 *
 * @returns a warning for each list of which something was skipped
 * @throws NetmonError `usage` for a list that does not exist, can't be trusted or can't be parsed
 */
export function readLists(
  categories: CategoryEntries,
  surroundings: Surroundings,
): { categories: CategoryEntries; warnings: string[] } {
  const owner = ownerOf(surroundings);
  const isRoot = surroundings.euid === 0;
  const warnings: string[] = [];
  let count = 0;

  const textOf = (path: string): ListText | null => {
    const read = surroundings.files.read(path, !isRoot);
    if (read.kind === 'missing') return null;
    return {
      path,
      text: isRoot || read.kind !== 'read' ? trusted(`the domain list ${quoted(path)}`, path, read, owner) : read.text,
    };
  };

  const entriesOf = (entry: string): readonly string[] => {
    if (!entry.startsWith(PREFIX)) return [entry];
    const path = entry.slice(PREFIX.length);
    const list = textOf(path);
    if (list === null)
      throw new NetmonError('usage', `the domain list ${quoted(path)} does not exist`, 'correct its path under [categories]');
    const folder = path.slice(0, path.lastIndexOf('/') + 1);
    const { entries, patterns } = importV2fly(list, (name) => textOf(`${folder}${name}`));
    count += entries.length;
    if (count > MOST_ENTRIES)
      throw new NetmonError(
        'usage',
        `the domain lists hold more than ${MOST_ENTRIES} entries`,
        'name fewer lists under [categories]',
      );
    if (patterns > 0) warnings.push(`${patterns} regexp: lines of ${quoted(path)} are skipped`);
    return entries;
  };

  const read = Object.entries(categories).map(([name, entries]) => [name, entries.flatMap(entriesOf)]);
  return { categories: Object.fromEntries(read), warnings };
}
