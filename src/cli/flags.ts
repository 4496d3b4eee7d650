// The table of flags. It makes the parser, the help text and the checks; nothing about a flag is written elsewhere.

import { COMMANDS, type CommandName, type Flag, simple, valued } from './flag.ts';

const RUN: readonly CommandName[] = ['run'];
const PROBING: readonly CommandName[] = ['run', 'doctor'];
const ASKING: readonly CommandName[] = ['run', 'explain'];
const EVERY: readonly CommandName[] = COMMANDS;

/** All flags, in the order of the help text. */
export const FLAGS: readonly Flag[] = [
  valued(
    'interface',
    'i',
    'NAME',
    'Capture',
    PROBING,
    'capture here instead of the default route; repeatable; "any" takes all',
    'interface',
  ),
  valued('bpf', null, 'EXPR', 'Capture', PROBING, 'capture only this (libpcap syntax: man pcap-filter)', 'bpf'),
  valued('driver', null, 'NAME', 'Capture', RUN, 'auto, libpcap, tcpdump or cap (default auto)', 'driver'),
  simple(
    'reverse-dns',
    null,
    'Capture',
    RUN,
    'ask DNS for the names of addresses that have none: this makes traffic',
    'reverse-dns',
    'true',
  ),
  simple('no-reverse-dns', null, 'Capture', RUN, null, 'reverse-dns', 'false'),
  valued('read', 'r', 'FILE', 'Replay', RUN, 'read a pcap or pcapng file, gzip too; - is standard input', null),
  valued('speed', null, 'N', 'Replay', RUN, 'N times real time, 0 as fast as it goes (default 1)', null),
  valued('filter', 'f', 'EXPR', 'Screen', RUN, 'show only what matches, for example app:curl or port:443', 'filter'),
  valued('interval', null, 'TIME', 'Screen', RUN, 'how often rates, screen and JSON are renewed (default 1s)', 'interval'),
  simple('no-names', 'n', 'Screen', RUN, 'show addresses and ports, no names', 'names', 'false'),
  simple('names', null, 'Screen', RUN, null, 'names', 'true'),
  valued(
    'theme',
    null,
    'NAME|PATH',
    'Screen',
    RUN,
    'colours: a theme of ours, of btop, or a .theme file (default netmon)',
    'theme',
  ),
  valued(
    'units',
    null,
    'UNITS',
    'Screen',
    RUN,
    'bytes (KiB/s), bytes-decimal (kB/s), bits (kb/s), bits-binary (Kib/s); default bytes',
    'units',
  ),
  simple('ascii', null, 'Screen', RUN, 'draw with ASCII characters only', 'ascii', 'true'),
  simple('no-ascii', null, 'Screen', RUN, null, 'ascii', 'false'),
  simple('no-color', null, 'Screen', RUN, 'no colours; bold and reverse stay', 'color', 'false'),
  simple('color', null, 'Screen', RUN, null, 'color', 'true'),
  simple('mouse', null, 'Screen', RUN, 'use the mouse (default: on, but off over SSH)', 'mouse', 'true'),
  simple('no-mouse', null, 'Screen', RUN, 'leave the mouse to the terminal', 'mouse', 'false'),
  simple(
    'json',
    null,
    'Output without a screen',
    ['run', 'interfaces', 'explain'],
    'one JSON object a line for each interval',
    null,
    null,
  ),
  simple(
    'once',
    null,
    'Output without a screen',
    RUN,
    'one sample, then exit: a table, or JSON with --json; with --read, the whole file',
    null,
    null,
  ),
  valued('duration', null, 'TIME', 'Output without a screen', RUN, 'end after this time, for example 10s', null),
  valued('samples', null, 'N', 'Output without a screen', RUN, 'end after N samples', null),
  {
    ...valued(
      'history',
      null,
      'PATH',
      'History',
      RUN,
      'record into the history file, by default ~/.local/share/netmon-tui/history.sqlite',
      null,
    ),
    optional: true,
  },
  simple('no-history', null, 'History', RUN, 'record nothing, whatever the configuration says', null, null),
  valued('app', null, 'NAME', 'Configuration', ['explain'], 'explain: the category when this app asks', null),
  valued('config', null, 'PATH', 'Configuration', ASKING, 'read this configuration file instead of the usual one', null),
  simple('print-config', null, 'Configuration', RUN, 'print what is in force and where each value came from', null, null),
  simple('version', 'V', 'Configuration', EVERY, 'print the version', null, null),
  simple('help', 'h', 'Configuration', EVERY, 'print this', null, null),
];
