// The last packets of a connection, a line each: when, which way, the header of TCP, and what it is.

import type { LoggedPacket, PacketPage } from '../../model/packet-page.ts';
import { TCP_FLAG } from '../../net/numbers.ts';
import type { CellContext } from '../tables/column.ts';
import { hidden, shown } from '../tables/masking.ts';
import { formatClock, formatGrouped } from '../text/format.ts';
import { type Line, span } from '../text/span.ts';

/** Cells of columns, each with the blank behind it. */
const TIME = 13;
const LENGTH = 6;
const FLAGS = 5;
const NUMBER = 11;
const WINDOW = 9;
/** Width from which acknowledgements are shown. */
const WITH_ACKS = 90;
const FLAG_LETTERS = [
  [TCP_FLAG.SYN, 'S'],
  [TCP_FLAG.FIN, 'F'],
  [TCP_FLAG.RST, 'R'],
  [TCP_FLAG.PSH, 'P'],
  [TCP_FLAG.ACK, 'A'],
  [TCP_FLAG.URG, 'U'],
] as const;

/** The packets as lines, with a head that stays above them. @param page null if nothing is known */
export function packetLines(
  page: PacketPage | null,
  isTcp: boolean,
  context: CellContext,
  width: number,
): { readonly head: Line; readonly lines: readonly Line[] } {
  const hasAcks = width >= WITH_ACKS;
  const columns = isTcp
    ? [
        'flags'.padEnd(FLAGS),
        'seq'.padStart(NUMBER - 1),
        ' ',
        ...(hasAcks ? ['ack'.padStart(NUMBER - 1), ' '] : []),
        'window'.padStart(WINDOW - 1),
        ' ',
      ]
    : [];
  const head = ` ${'time'.padEnd(TIME)}  ${'bytes'.padStart(LENGTH - 1)} ${columns.join('')} what it is`;
  if (page === null || page.packets.length === 0)
    return {
      head: [span(head, 'header')],
      lines: [[span(' no packet since you opened these details; --keep-packets=60s keeps earlier ones', 'dim')]],
    };
  const older = page.dropped === 0 ? [] : [[span(` ${formatGrouped(page.dropped)} older ones are no longer kept`, 'dim')]];
  return {
    head: [span(head, 'header')],
    lines: [...older, ...page.packets.map((packet) => packetLine(packet, isTcp, hasAcks, context))],
  };
}

function packetLine(packet: LoggedPacket, isTcp: boolean, hasAcks: boolean, context: CellContext): Line {
  const { time, isSent, payloadBytes, tcp, marks } = packet;
  const { glyphs } = context;
  const text = contentsText(packet, context);
  const header =
    tcp === null ? ' '.repeat(isTcp ? FLAGS + NUMBER + (hasAcks ? NUMBER : 0) + WINDOW : 0) : segmentText(tcp, hasAcks, context);
  return [
    span(` ${formatClock(time)}.${String(Math.floor(time) % 1000).padStart(3, '0')} `, 'dim'),
    span(`${isSent ? glyphs.tx : glyphs.rx} `, isSent ? 'tx' : 'rx'),
    span(`${String(payloadBytes).padStart(LENGTH - 1)} ${header} `),
    ...(marks.length === 0 ? [] : [span(`${marks.join(', ')}${text === '' ? '' : ', '}`, 'warn')]),
    span(text),
  ];
}

function segmentText(
  { flags, sequence, acknowledgement, window, isExact }: NonNullable<LoggedPacket['tcp']>,
  hasAcks: boolean,
  context: CellContext,
): string {
  const letters = FLAG_LETTERS.map(([bit, letter]) => ((flags & bit) === 0 ? '' : letter)).join('');
  const ack = acknowledgement === null ? context.glyphs.unknown : String(acknowledgement);
  return [
    letters.padEnd(FLAGS),
    `${String(sequence).padStart(NUMBER - 1)} `,
    hasAcks ? `${ack.padStart(NUMBER - 1)} ` : '',
    `${`${window}${isExact ? '' : '?'}`.padStart(WINDOW - 1)} `,
  ].join('');
}

function contentsText({ contents, name }: LoggedPacket, context: CellContext): string {
  return name === null ? shown(contents, context) : `${shown(contents, context)} ${hidden(name, context)}`;
}
