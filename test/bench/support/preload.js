// Runs a program with a module loaded before it, as --import would, which the program refuses: preload.js MODULE PROGRAM ARGUMENTS...

import { pathToFileURL } from 'node:url';

const [, module] = process.argv.splice(1, 2);
for (const each of [module, process.argv[1]]) await import(/^(file|data):/.test(each) ? each : pathToFileURL(each).href);
