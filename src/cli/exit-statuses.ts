// What each exit status means, in a user's words: the help and the README say the same.

import { EXIT_STATUS } from '../errors.ts';

/** Every status with its meaning, in order. */
export const STATUSES: readonly (readonly [status: string, meaning: string])[] = [
  ['0', 'normal, also when the reader of a pipe went away'],
  [String(EXIT_STATUS.internal), "a bug in netmon-tui, or an output that can't be written"],
  [String(EXIT_STATUS.usage), 'a mistake on the command line, in the configuration or in the file to read'],
  [String(EXIT_STATUS.permission), 'no permission to capture, or to read a file'],
  [String(EXIT_STATUS['no-device']), 'no such interface or driver'],
  [String(EXIT_STATUS['bad-filter']), 'a filter that is none'],
  [String(EXIT_STATUS.terminal), "a terminal that can't draw (TERM=dumb)"],
  [String(EXIT_STATUS.history), 'the history file'],
  [String(EXIT_STATUS['device-lost']), 'the interface vanished and no other is left'],
  ['128+n', 'ended by signal n'],
];
