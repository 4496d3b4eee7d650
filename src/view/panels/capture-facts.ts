// Facts about the capture as it stands: driver and owners, as whom it runs, what was passed over and why, and what was lost.

import type { ChannelStatus, MessengerStatus } from '../../model/delivery.ts';
import type { ExportStatus } from '../../model/export.ts';
import type { WritingStatus } from '../../model/packets.ts';
import type { PrivilegeStatus } from '../../model/privileges.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import { counted } from '../../net/counted.ts';
import type { CellContext } from '../tables/column.ts';
import { hidden, shown } from '../tables/masking.ts';
import { engineWords, isAsked, isBehind } from '../text/exports.ts';
import {
  formatAmount,
  formatDateTime,
  formatDuration,
  formatGrouped,
  formatMoment,
  formatRate,
  formatShare,
} from '../text/format.ts';
import { notCaptured } from '../traffic.ts';
import { LEFT_WORDS, wayText } from './alert-facts.ts';
import { type Fact, NAME_WIDTH } from './fact.ts';

/** Each machine: since when its line is how it is, what it costs, and what to type about it. */
function machineFacts({ machines = [], time }: Snapshot, context: CellContext): readonly Fact[] {
  return machines.flatMap(({ name, state, since, note, hint, program, clockAheadMs, lineRate }): Fact[] => {
    const clock = Math.round((clockAheadMs ?? 0) / 1000);
    const facts = [
      `${state} for ${formatDuration(Math.max(0, time - since))}`,
      ...(program === '' ? [] : [`netmon-tui ${shown(program, context)}`]),
      ...(clock === 0 ? [] : [`its clock is ${Math.abs(clock)} s ${clock > 0 ? 'ahead' : 'behind'}`]),
      ...(state === 'live' ? [`line ${formatRate(lineRate, context.units).trim()}`] : []),
      ...(note === '' ? [] : [shown(note, context)]),
    ];
    const isWell = state === 'live' && note === '';
    return [
      [hidden(name, context).slice(0, NAME_WIDTH), facts.join(', '), isWell ? 'text' : 'warn'],
      ...(hint === '' ? [] : [['', `type: ${context.privacy ? '' : shown(hint, context)}`, 'warn'] as Fact]),
    ];
  });
}

/** What is known of a capture on this machine alone. */
function ownFacts(snapshot: Snapshot, context: CellContext): readonly Fact[] {
  const { snapLength, bufferBytes } = snapshot.capture;
  return [
    [
      'snap length',
      snapLength.whole === 0
        ? 'nothing is captured'
        : snapLength.bulk === snapLength.whole
          ? `${snapLength.whole} of any packet`
          : `${snapLength.bulk} bulk, ${snapLength.whole} whole`,
    ],
    ['buffer', bufferBytes === null ? null : formatAmount(bufferBytes, context.units).trim()],
    ...keptFacts(snapshot, context),
  ];
}

/** The capture: driver and owners, why not better ones, what was lost, what could not be read. */
export function captureFacts(snapshot: Snapshot, context: CellContext): readonly Fact[] {
  const { capture } = snapshot;
  const missed = notCaptured(capture.countedFrameBytes, capture.countedInterfaceBytes);
  const count = (value: number | null): string | null => (value === null ? null : formatGrouped(value));
  const size = (value: number | null): string | null => (value === null ? null : formatAmount(value, context.units).trim());
  return [
    ...(capture.note === '' ? [] : [['now', shown(capture.note, context), 'warn'] as const]),
    ...(capture.file === null ? [] : [['file', hidden(capture.file, context)] as const]),
    ...machineFacts(snapshot, context),
    ['interfaces', shown(capture.interfaces.join(' '), context)],
    ['driver', shown(capture.driver, context), 'accent'],
    ['owners by', shown(capture.attribution, context), 'accent'],
    ...capture.fallbacks.map(
      ({ driver, reason }) => [`not ${shown(driver, context)}`.slice(0, NAME_WIDTH), shown(reason, context), 'warn'] as const,
    ),
    ...privilegeFacts(capture.privileges, context),
    ...deliveryFacts(capture.delivery, context),
    ...exportFacts(capture.exports, context),
    [
      'look-ups',
      capture.reverseDns ? 'reverse DNS: this asks for addresses without a name' : 'none',
      capture.reverseDns ? 'warn' : 'text',
    ],
    ...(capture.places.length === 0
      ? [['places', null] as const]
      : capture.places.map(
          ({ type, built }) => ['places by', `${shown(type, context)} of ${built ?? 'an unknown day'}`] as const,
        )),
    ...(capture.placesNote === '' ? [] : [['places', shown(capture.placesNote, context), 'warn'] as const]),
    ['packets', count(capture.packets)],
    ['frame bytes', size(capture.countedFrameBytes)],
    [
      'its counter',
      capture.countedInterfaceBytes === null && capture.countedNote !== ''
        ? shown(`unknown: ${capture.countedNote}`, context)
        : size(capture.countedInterfaceBytes),
    ],
    ['not captured', missed === null ? null : `${formatShare(missed)} of what the interface counted`],
    ['dropped by the kernel', count(capture.dropped), (capture.dropped ?? 0) > 0 ? 'warn' : 'text'],
    ['dropped by netmon-tui', count(capture.shed), capture.shed > 0 ? 'warn' : 'text'],
    ['dropped by the interface', count(capture.interfaceDropped)],
    [
      'undecoded',
      `${formatGrouped(capture.undecoded)}: truncated ${formatGrouped(capture.truncated)}, malformed ${formatGrouped(capture.malformed)}, unsupported ${formatGrouped(capture.unsupported)}`,
    ],
    ['flows evicted', formatGrouped(snapshot.flowsEvicted), snapshot.flowsEvicted > 0 ? 'warn' : 'text'],
    ...(snapshot.machines === undefined ? ownFacts(snapshot, context) : []),
    ...(capture.writing === null ? [] : [writingFact(capture.writing, context)]),
    ['running', `${formatDuration(snapshot.time - snapshot.started)} since ${formatDateTime(snapshot.started)}`],
    ['interval', `${(snapshot.intervalMs / 1000).toFixed(2)} s`],
  ];
}

/** Packets that are kept, and how far they go back. */
function keptFacts({ time, capture: { kept } }: Snapshot, context: CellContext): readonly Fact[] {
  const { units } = context;
  if (kept === null) return [['packets kept', 'none: start with --keep-packets 60s']];
  const { bytes, forMs, packets, used, since, tooLong, writing } = kept;
  const asked = forMs === null ? '' : ` of ${formatDuration(forMs)}`;
  const room = `${formatAmount(used, units).trim()} of ${formatAmount(bytes, units).trim()}`;
  return [
    ['packets kept', `${formatDuration(since === null ? 0 : time - since)}${asked}: ${counted(packets, 'packet')}, ${room}`],
    ...(writing === null ? [] : [writingFact(writing, context)]),
    ...(tooLong > 0 ? [['not kept', `${counted(tooLong, 'packet')}, too long`, 'warn'] as const] : []),
  ];
}

/** A file of packets, or a row of them. */
function writingFact(writing: WritingStatus, context: CellContext): Fact {
  const { state, path, packets, bytes, files, lost, note } = writing;
  const size = formatAmount(bytes, context.units).trim();
  const missing = lost > 0 ? `, ${counted(lost, 'packet')} lost` : '';
  const file = path === '-' ? 'standard output' : hidden(path, context);
  const where = `${counted(packets, 'packet')}, ${size}${missing}, in ${files > 1 ? `${counted(files, 'file')}, now ` : ''}${file}`;
  const isFine = state !== 'failed' && lost === 0;
  return [
    state === 'writing' ? 'writing' : 'written',
    note === '' ? where : `${where}: ${shown(note, context)}`,
    isFine ? 'text' : 'warn',
  ];
}

/** Where alerts go, and what keeps them from getting there. */
function deliveryFacts(delivery: MessengerStatus | null, context: CellContext): readonly Fact[] {
  if (delivery === null) return [];
  const { channels, note, isLeft } = delivery;
  return [
    ...(isLeft ? [['alerts go', LEFT_WORDS] as const] : []),
    ...(note === '' ? [] : [['alerts go', shown(note, context), 'warn'] as const]),
    ...channels.map((one) => {
      const to = wayText(one.channel, delivery, context);
      return ['alerts go', `by ${to}${countsOf(one, context)}`, one.failure === null ? 'text' : 'warn'] as const;
    }),
  ];
}

/** Where records go, and how far each engine got. */
function exportFacts(exports: ExportStatus | null, context: CellContext): readonly Fact[] {
  if (exports === null) return [];
  const { engines, note, isLeft } = exports;
  const told = isLeft ? engines.filter(isAsked) : engines;
  return [
    ...(isLeft && engines.some((engine) => !isAsked(engine))
      ? [['exports', 'left to the netmon-tui that records'] as const]
      : []),
    ...(isLeft || note === '' ? [] : [['exports', shown(note, context), 'warn'] as const]),
    ...told.map((engine) => {
      const words = shown(engineWords(engine, context.now), context);
      return [
        isAsked(engine) ? 'metrics' : 'exports',
        `${engine.engine} at ${hidden(engine.to, context)}: ${words}`,
        isBehind(engine) ? 'warn' : 'text',
      ] as const;
    }),
  ];
}

function countsOf({ delivered, waiting, lost, failure, next }: ChannelStatus, context: CellContext): string {
  const until = next === null ? '' : ` until ${formatMoment(next, context.now)}`;
  const parts = [
    delivered > 0 ? `${delivered} delivered` : '',
    waiting > 0 ? `${waiting} waiting${until}` : '',
    lost > 0 ? `${lost} given up` : '',
    shown(failure ?? '', context),
  ].filter((part) => part !== '');
  return parts.length === 0 ? '' : `: ${parts.join(', ')}`;
}

/** As whom it runs, and what of root is left. */
function privilegeFacts(privileges: PrivilegeStatus | null, context: CellContext): readonly Fact[] {
  if (privileges === null) return [];
  const { user, dropped, kept, note } = privileges;
  const isRoot = kept[0] === 'root';
  return [
    [
      'runs as',
      isRoot ? 'root, with all rights' : `${hidden(user, context)}${dropped ? ', root given up' : ''}`,
      isRoot ? 'warn' : 'text',
    ],
    ...(isRoot ? [] : [['keeps', kept.length === 0 ? 'no rights of root' : kept.join(' ')] as const]),
    ...(note === '' ? [] : [['rights', shown(note, context), 'warn'] as const]),
  ];
}
