// The help: made from the key table, so that it can't say anything else than what the keys do.

import { type KeyTable, keyLabel } from '../keymap.ts';
import { type Line, span } from '../span.ts';

const KEYS_WIDTH = 13;

/** Lines of the help, groups apart. */
export function helpLines(keys: KeyTable): readonly Line[] {
  const lines: Line[] = [];
  let group = '';
  for (const binding of keys) {
    if (binding.group !== group) {
      if (group !== '') lines.push([]);
      group = binding.group;
      lines.push([span(` ${group}`, 'title')]);
    }
    const names = binding.keys.length > 0 ? binding.keys.map(keyLabel).join(' ') : 'no key';
    lines.push([span(`   ${names.padEnd(KEYS_WIDTH)} `, 'key'), span(binding.help)]);
  }
  return lines;
}
