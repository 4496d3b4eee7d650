// The root child as a program: what it may run is its one argument, fixed by root before root was given up; commands come on standard input.

import { hardenStart } from './harden.ts';
import type { RootPrograms } from './root-child.ts';
import { RootChild } from './root-child.ts';

hardenStart();
// Ctrl+C at a terminal reaches it, too; it goes when the program does.
for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM', 'SIGPIPE'] as const) process.on(signal, () => undefined);
const child = new RootChild(JSON.parse(process.argv[2] ?? '') as RootPrograms, process.stdin, process.stdout);
await child.ended;
process.exit(0);
