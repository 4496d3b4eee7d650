// The pane below the interfaces: what is clearly wrong, if anything is, then how well both ends of each interface, the resolvers and the hosts
// answer, slowest first. And the same figures of one row, for its details.

import type { ResolverRow } from '../../model/dns.ts';
import type { Figures, Quality } from '../../model/quality.ts';
import type { HostRow, InterfaceRow, Snapshot } from '../../model/snapshot.ts';
import { counted } from '../../net/counted.ts';
import { pictureOf } from '../derive.ts';
import { framed, type Pane, type Rect } from '../pane.ts';
import type { ViewState } from '../state.ts';
import type { CellContext } from '../tables/column.ts';
import { hidden, shown } from '../tables/masking.ts';
import { fitText } from '../text/cells.ts';
import { diagnosisText, linkText, msText } from '../text/diagnosis.ts';
import { formatCount, formatGrouped, formatRtt, formatShare } from '../text/format.ts';
import type { Glyphs } from '../text/glyphs.ts';
import { type Line, type Role, type Span, span } from '../text/span.ts';
import type { Fact } from './fact.ts';
import { contextOf } from './table.ts';

/** Heads and widths of the figures; a name takes what is left. Narrow panes lose the last ones first. */
const COLUMNS = [
  ['median', 7],
  ['95 %', 7],
  ['best', 7],
  ['again', 7],
  ['answered', 9],
  ['refused', 8],
  ['silent', 7],
  ['reset', 6],
] as const;
const LEAST_NAME = 16;
/** Sentences at the most: the figures below them matter as much. */
const SAID = 5;
/** A resolver that was last asked longer ago isn't listed. */
const LATELY_MS = 60_000;

/** Figures as cells of a line; null is unknown. */
type Cells = readonly (Span | null)[];

/** Draws the pane. */
export function qualityPanel(state: ViewState, live: Snapshot, glyphs: Glyphs, rect: Rect): Pane {
  const { snapshot } = pictureOf(state, live);
  const context = contextOf(state, live, glyphs);
  const lines = qualityLines(snapshot, context, rect.width - 2);
  return {
    rect,
    lines: framed(rect, [span('How it answers', 'header')], [span('last minute', 'dim')], lines, glyphs, false),
  };
}

/** What cells here need to know. */
type QualityContext = Pick<CellContext, 'glyphs' | 'privacy'>;

/** What the pane says, as many lines as there are. */
export function qualityLines(snapshot: Snapshot, context: QualityContext, width: number): readonly Line[] {
  const { interfaces, hosts, diagnoses, dns, time } = snapshot;
  const said: Line[] = diagnoses
    .slice(0, SAID)
    .map((found) => [span(` ${diagnosisText(found, (text) => hidden(text, context))}`, 'warn')]);
  const links = interfaces.flatMap(({ interface: name, link }) =>
    link === null ? [] : [[span(` ${shown(name, context)} `, 'name'), span(linkText(link), link.isWeak ? 'warn' : 'text')]],
  );
  const rows = [
    ...interfaces.flatMap((row) => endLines(row, context)),
    ...dns.resolvers.filter(({ lastSeen }) => time - lastSeen < LATELY_MS).map((row) => resolverLine(row, context)),
    ...slowest(hosts).map(({ host, quality }) => ({
      name: hidden(host ?? '', context),
      cells: figureCells((quality as Quality).recent, (quality as Quality).leastMs),
    })),
  ];
  if (rows.length === 0) return [...said, ...links, [span(' no TCP connection has told anything yet', 'dim')]];
  const columns = fitting(width);
  const room = width - 1 - columns.reduce((sum, [, cells]) => sum + cells, 0);
  const { glyphs } = context;
  const head: Line = [
    span(` ${' '.repeat(room)}`),
    ...columns.map(([title, cells]) => span(fitText(title, cells, glyphs, 'right'), 'header')),
  ];
  const table = rows.map(
    ({ name, cells }): Line => [
      span(` ${fitText(name, room, glyphs, 'left', 'start')}`, 'name'),
      ...columns.map(([, wide], index) => {
        const cell = cells[index] ?? span(glyphs.unknown, 'dim');
        return span(fitText(cell.text, wide, glyphs, 'right'), cell.role);
      }),
    ],
  );
  return [...said, ...links, head, ...table];
}

function fitting(width: number): readonly (readonly [title: string, cells: number])[] {
  let left = width - 1 - LEAST_NAME;
  return COLUMNS.filter(([, cells]) => {
    left -= cells;
    return left >= 0;
  });
}

function endLines({ interface: name, ends }: InterfaceRow, context: QualityContext) {
  return (['near', 'far'] as const).flatMap((end) => {
    const quality = ends[end];
    if (quality === null) return [];
    return [{ name: `${shown(name, context)}, ${end}`, cells: figureCells(quality.recent, quality.leastMs) }];
  });
}

function resolverLine(row: ResolverRow, context: QualityContext) {
  const count = (value: number): Span => span(formatCount(value), value > 0 ? 'warn' : 'dim');
  const cells: Cells = [
    timeCell(row.recentMs),
    timeCell(row.recentSlowMs),
    null,
    null,
    span(formatCount(row.answered), 'text'),
    count(row.failed),
    count(row.unanswered),
    null,
  ];
  return { name: `names, ${hidden(row.address, context)}`, cells };
}

function timeCell(ms: number | null): Span | null {
  return ms === null ? null : span(formatRtt(ms), 'text');
}

function figureCells(figures: Figures, leastMs: number | null): Cells {
  const { roundTrips, segments, answered, refused, unanswered, reset } = figures;
  const count = (value: number, role: Role = 'warn'): Span => span(formatCount(value), value > 0 ? role : 'dim');
  return [
    timeCell(roundTrips?.medianMs ?? null),
    timeCell(roundTrips?.highMs ?? null),
    timeCell(leastMs),
    segments === 0 ? null : againCell(figures),
    count(answered, 'text'),
    count(refused),
    count(unanswered),
    count(reset),
  ];
}

/** Share of segments that hurts. */
const LOSSY = 0.02;

function againShare({ segments, sentAgain, receivedAgain }: Figures): number {
  return segments === 0 ? 0 : Math.min(1, (sentAgain + receivedAgain) / segments);
}

function againCell(figures: Figures): Span {
  const share = againShare(figures);
  return span(formatShare(share), share >= LOSSY ? 'warn' : share > 0 ? 'text' : 'dim');
}

/** Hosts that told something lately: those where connections fail, then the slowest. */
function slowest(hosts: readonly HostRow[]): readonly HostRow[] {
  const failures = ({ quality }: HostRow): number => {
    const recent = quality?.recent;
    return recent === undefined ? 0 : recent.refused + recent.unanswered + recent.reset;
  };
  const median = ({ quality }: HostRow): number => quality?.recent.roundTrips?.medianMs ?? 0;
  return hosts
    .filter((row) => row.host !== null && (failures(row) > 0 || median(row) > 0 || (row.quality?.recent.segments ?? 0) > 0))
    .toSorted((a, b) => Math.sign(failures(b)) - Math.sign(failures(a)) || median(b) - median(a));
}

/** How well a host, or an end of an interface, answers: for its details. @param title before the facts; empty for none */
export function qualityFacts(quality: Quality | null, title = ''): readonly Fact[] {
  if (quality === null) return [];
  const { recent, all, leastMs } = quality;
  const name = (text: string): string => (title === '' ? text : `${title} ${text}`);
  const isQuiet = recent.roundTrips === null && recent.segments === 0;
  const figures = isQuiet ? all : recent;
  const when = isQuiet ? 'since the start' : 'in the last minute';
  const { roundTrips, segments } = figures;
  const connections = connectionsText(figures);
  return [
    [
      name('round trip'),
      roundTrips === null
        ? null
        : `${msText(roundTrips.medianMs)}, 95 % within ${msText(roundTrips.highMs)}, ${msText(leastMs ?? 0)} at best (${formatGrouped(roundTrips.samples)} ${when})`,
      'text',
    ],
    ...(segments === 0
      ? []
      : [
          [
            name('retransmits'),
            `${formatShare(againShare(figures))} of ${counted(segments, 'segment')} ${when}`,
            againShare(figures) >= LOSSY ? 'warn' : 'text',
          ] as const,
        ]),
    ...(connections === '' ? [] : [[name('answers'), `${connections} ${when}`, isFailing(figures) ? 'warn' : 'text'] as const]),
  ];
}

function isFailing({ refused, unanswered, reset }: Figures): boolean {
  return refused + unanswered + reset > 0;
}

function connectionsText({ answered, refused, unanswered, reset }: Figures): string {
  const parts = [
    ...(answered > 0 ? [`${counted(answered, 'connection')} answered`] : []),
    ...(refused > 0 ? [`${formatGrouped(refused)} refused`] : []),
    ...(unanswered > 0 ? [`${formatGrouped(unanswered)} unanswered`] : []),
    ...(reset > 0 ? [`${formatGrouped(reset)} reset`] : []),
  ];
  return parts.join(', ');
}
