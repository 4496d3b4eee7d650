// The table of flags. It makes the parser, the help text and the checks; nothing about a flag is written elsewhere.

import { COMMANDS, type CommandName, type Flag, simple, valued } from './flag.ts';
import { HISTORY_FLAGS, ON_HISTORY } from './history-flags.ts';

const RUN: readonly CommandName[] = ['run'];
const CAPTURING: readonly CommandName[] = ['run', 'record'];
const DRAWING: readonly CommandName[] = ['run', 'history', 'query'];
const ASKING: readonly CommandName[] = ['run', ...ON_HISTORY, 'explain'];
const EVERY: readonly CommandName[] = COMMANDS;

/** All flags, in the order of the help text. */
export const FLAGS: readonly Flag[] = [
  valued(
    'interface',
    'i',
    'NAME',
    'Capture',
    [...CAPTURING, 'doctor', 'history'],
    'capture here instead of the default route; repeatable; "any" takes all; history: only this',
    'interface',
  ),
  valued('bpf', null, 'EXPR', 'Capture', [...CAPTURING, 'doctor'], 'capture only this (libpcap syntax: man pcap-filter)', 'bpf'),
  valued('driver', null, 'NAME', 'Capture', CAPTURING, 'auto, libpcap, tcpdump or cap (default auto)', 'driver'),
  simple(
    'reverse-dns',
    null,
    'Capture',
    CAPTURING,
    'ask DNS for the names of addresses that have none: this makes traffic',
    'reverse-dns',
    'true',
  ),
  simple('no-reverse-dns', null, 'Capture', CAPTURING, null, 'reverse-dns', 'false'),
  valued(
    'user',
    null,
    'NAME',
    'Rights',
    CAPTURING,
    'as root: become this user once all is open (default: who called sudo, else nobody)',
    null,
  ),
  simple(
    'drop-all',
    null,
    'Rights',
    CAPTURING,
    "give up looking into other users' processes, too; owners are poorer for it",
    null,
    null,
  ),
  simple('stay-root', null, 'Rights', CAPTURING, 'as root: stay root', null, null),
  valued('read', 'r', 'FILE', 'Replay', RUN, 'read a pcap or pcapng file, gzip too; - is standard input', null),
  valued('speed', null, 'N', 'Replay', RUN, 'N times real time, 0 as fast as it goes (default 1)', null),
  valued(
    'filter',
    'f',
    'EXPR',
    'Screen',
    ['run', 'history'],
    'show only what matches, for example app:curl or port:443',
    'filter',
  ),
  valued('interval', null, 'TIME', 'Screen', CAPTURING, 'how often rates, screen and JSON are renewed (default 1s)', 'interval'),
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
    ['run', 'history'],
    'bytes (KiB/s), bytes-decimal (kB/s), bits (kb/s), bits-binary (Kib/s); default bytes',
    'units',
  ),
  simple('ascii', null, 'Screen', DRAWING, 'draw with ASCII characters only', 'ascii', 'true'),
  simple('no-ascii', null, 'Screen', DRAWING, null, 'ascii', 'false'),
  simple('no-color', null, 'Screen', DRAWING, 'no colours; bold and reverse stay', 'color', 'false'),
  simple('color', null, 'Screen', DRAWING, null, 'color', 'true'),
  simple('mouse', null, 'Screen', RUN, 'use the mouse (default: on, but off over SSH)', 'mouse', 'true'),
  simple('no-mouse', null, 'Screen', RUN, 'leave the mouse to the terminal', 'mouse', 'false'),
  simple(
    'json',
    null,
    'Output without a screen',
    ['run', 'history', 'query', 'interfaces', 'explain'],
    'one JSON object a line for each interval; of a command, its answer',
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
  valued('duration', null, 'TIME', 'Output without a screen', CAPTURING, 'end after this time, for example 10s', null),
  valued('samples', null, 'N', 'Output without a screen', RUN, 'end after N samples', null),
  ...HISTORY_FLAGS,
  valued('config', null, 'PATH', 'Configuration', ASKING, 'read this configuration file instead of the usual one', null),
  simple('print-config', null, 'Configuration', RUN, 'print what is in force and where each value came from', null, null),
  simple('version', 'V', 'Configuration', EVERY, 'print the version', null, null),
  simple('help', 'h', 'Configuration', EVERY, 'print this', null, null),
];
