// Colours of plain output: chalk, or nothing. The screen has its own.

import { Chalk } from 'chalk';
import type { Paint } from './text-table.ts';

/** Paint for plain output. The 16 basic colours only: they follow the terminal's own palette, light or dark. */
export function paintFor(color: boolean): Paint {
  const chalk = new Chalk({ level: color ? 1 : 0 });
  return { title: (text) => chalk.bold(text), heading: (text) => chalk.cyan(text), dim: (text) => chalk.dim(text) };
}
