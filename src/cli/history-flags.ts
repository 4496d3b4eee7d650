// Flags of the subcommands on history, a part of the table of flags.

import { type CommandName, type Flag, simple, valued } from './flag.ts';

/** Subcommands that read or write the history file. */
export const ON_HISTORY: readonly CommandName[] = ['record', 'history', 'query', 'export', 'report', 'prune'];

const STRETCH: readonly CommandName[] = ['history', 'export', 'report'];
const ASK: readonly CommandName[] = ['history'];

/** In the order of the help text. */
export const HISTORY_FLAGS: readonly Flag[] = [
  {
    ...valued(
      'history',
      null,
      'PATH',
      'History',
      ['run', ...ON_HISTORY],
      'record into the history file, or read it; by default ~/.local/share/netmon-tui/history.sqlite',
      null,
    ),
    optional: true,
  },
  simple('no-history', null, 'History', ['run'], 'record nothing, whatever the configuration says', null, null),
  valued(
    'since',
    null,
    'TIME',
    'History',
    STRETCH,
    'from here on: 24h, 7d, today, yesterday, month, 2026-11-01 ... (default 24h; report 7d, export all)',
    null,
  ),
  valued('until', null, 'TIME', 'History', STRETCH, 'up to here; a day, week or month is meant whole (default now)', null),
  valued('by', null, 'KEY', 'History', ASK, 'app, host, domain, category, interface, hour or day (default app)', null),
  valued(
    'app',
    null,
    'NAME',
    'History',
    ['history', 'explain', 'prune'],
    'only this app; explain: the category when this app asks',
    null,
  ),
  valued('domain', null, 'NAME', 'History', ASK, 'only this domain', null),
  valued('category', null, 'NAME', 'History', ASK, 'only this category', null),
  valued('top', null, 'N', 'History', ASK, 'so many rows, the rest as one (default 20)', null),
  simple('csv', null, 'History', ['history', 'query'], 'rows as CSV', null, null),
  valued('timeout', null, 'TIME', 'History', ['query'], 'give a statement up after this time (default 10s)', null),
  valued('limit', null, 'N', 'History', ['query'], 'so many rows of a statement (default 1000)', null),
  valued('format', null, 'FORMAT', 'History', ['export'], 'csv, json or sqlite (default csv)', null),
  simple('flows', null, 'History', ['export'], 'export the log of connections in place of the records', null, null),
  valued('output', 'o', 'FILE', 'History', ['export', 'record'], 'write into this file (default standard output)', null),
  valued('html', null, 'FILE', 'History', ['report'], 'write the report into this file', null),
  simple('force', null, 'History', ['export', 'report', 'record'], 'write over a file that is there', null, null),
  valued('before', null, 'TIME', 'History', ['prune'], 'delete what is older than this time', null),
  valued('older-than', null, 'TIME', 'History', ['prune'], 'delete what is older than this, for example 90d', null),
  valued(
    'max-size',
    null,
    'SIZE',
    'History',
    ['prune'],
    'delete the oldest until the file has this size, for example 100MB',
    null,
  ),
  simple('dry-run', null, 'History', ['prune'], 'only say what would be deleted', null, null),
  simple('yes', 'y', 'History', ['prune'], 'do not ask', null, null),
  valued(
    'install',
    null,
    'SYSTEM',
    'History',
    ['record'],
    'print the service file for systemd or launchd, and how to install it',
    null,
  ),
];
