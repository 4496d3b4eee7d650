// Entry point of the root child. Its one argument, fixed before the parent dropped root, says what it may run; commands come on standard input.

import { hardenStart } from './harden.ts';
import type { RootPrograms } from './root-child.ts';
import { RootChild } from './root-child.ts';

hardenStart();
// Ctrl+C at the terminal reaches this process too, but it must only end when the parent does.
for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM', 'SIGPIPE'] as const) process.on(signal, () => undefined);
const child = new RootChild(JSON.parse(process.argv[2] ?? '') as RootPrograms, process.stdin, process.stdout);
void child.ended.then(() => process.exit(0));
