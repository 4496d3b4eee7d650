// The output of `netmon-tui why`: what is known of one host, once the measuring is over. It keeps what was wrong at any time, and judges nothing.

import type { SnapshotLimits } from '../aggregate/aggregator.ts';
import type { Diagnosis, Ends, Figures, LinkQuality, Quality } from '../model/quality.ts';
import type { BranchRow, HostRow, Snapshot } from '../model/snapshot.ts';
import { counted } from '../net/counted.ts';
import { sanitize } from '../net/text.ts';
import { qualityLines } from '../view/panels/quality.ts';
import { cut, drawable } from '../view/text/cells.ts';
import { diagnosisText, isWide } from '../view/text/diagnosis.ts';
import { formatClock, formatDuration } from '../view/text/format.ts';
import { plain } from '../view/text/span.ts';
import { SCHEMA, timeField } from './fields.ts';
import type { Output } from './output.ts';
import { REPORT_WIDTHS, sheetOf, type TextStyle } from './text-table.ts';

/** How the answer is printed. */
export interface WhyStyle extends TextStyle {
  /** One JSON object on a line. */
  readonly json: boolean;
}

/** A diagnosis, and when it held, epoch ms. */
interface Said {
  found: Diagnosis;
  from: number;
  to: number;
}

/** Diagnoses that are kept. */
const MOST_SAID = 100;
/** Other hosts in the table, the slowest. */
const OTHERS = 5;

/** Prints once, at the end. */
export class WhyOutput implements Output {
  readonly wantsEvents = false;
  readonly limits: SnapshotLimits = { apps: 500, hosts: 65_536, flows: 1 };
  readonly #host: string;
  readonly #style: WhyStyle;
  readonly #print: (text: string) => Promise<void>;
  readonly #said = new Map<string, Said>();

  /** @param host a name in ASCII or an address. @param print writes to standard output */
  constructor(host: string, style: WhyStyle, print: (text: string) => Promise<void>) {
    this.#host = host;
    this.#style = style;
    this.#print = print;
  }

  sample(snapshot: Snapshot): void {
    const { diagnoses, time } = snapshot;
    for (const found of diagnoses) {
      const key = `${found.kind} ${'host' in found ? found.host : 'resolver' in found ? found.resolver : found.interface}`;
      const known = this.#said.get(key);
      if (known === undefined && this.#said.size < MOST_SAID) this.#said.set(key, { found, from: time, to: time });
      if (known !== undefined) this.#said.set(key, { ...known, found, to: time });
    }
  }

  opened(): void {}

  closed(): void {}

  gap(): void {}

  end(snapshot: Snapshot): Promise<void> {
    this.sample(snapshot);
    const hosts = snapshot.hosts.filter((row) => isAbout(row, this.#host));
    const names = new Set(hosts.map(({ host }) => host));
    const said = [...this.#said.values()].filter(({ found }) => ('host' in found ? names.has(found.host) : isWide(found)));
    return this.#print(this.#style.json ? this.#json(snapshot, hosts, said) : this.#text(snapshot, hosts, said));
  }

  #text(snapshot: Snapshot, hosts: readonly HostRow[], said: readonly Said[]): string {
    const { width, glyphs, paint } = sheetOf(this.#style, REPORT_WIDTHS);
    const measured = hosts.filter(({ quality }) => quality !== null);
    const others = snapshot.hosts
      .filter((row) => row.quality !== null && row.quality.all.roundTrips !== null && !hosts.includes(row))
      .toSorted((a, b) => medianOf(b) - medianOf(a))
      .slice(0, OTHERS);
    const shown = { ...wholeRun(snapshot, [...measured, ...others]), diagnoses: [] };
    const clean = (text: string): string => drawable(text, glyphs);
    const sentences = said.map(({ found, from, to }) => {
      const isPast = to < snapshot.time;
      const when = isPast ? ` (${formatClock(from)}${to > from ? ` to ${formatClock(to)}` : ''})` : '';
      return paint.title(`${diagnosisText(found, clean)}${when}`);
    });
    const context = { glyphs, privacy: false } as const;
    const lines = [
      ...(sentences.length > 0 ? sentences : [paint.title(this.#nothing(snapshot, hosts, measured))]),
      '',
      ...qualityLines(shown, context, width).map((line) => plain(line).trimEnd()),
      '',
      ...this.#about(snapshot, hosts, sentences.length > 0).map((text) => paint.dim(cut(clean(text), width, glyphs))),
    ];
    return `${lines.join('\n')}\n`;
  }

  /** What is said where nothing is wrong. */
  #nothing(snapshot: Snapshot, hosts: readonly HostRow[], measured: readonly HostRow[]): string {
    const time = lengthOf(snapshot);
    if (hosts.length === 0)
      return `nothing was exchanged with ${sanitize(this.#host)}${time}${snapshot.capture.file === null ? ': use it meanwhile, or longer (--duration 60s)' : ''}`;
    if (measured.length === 0) return `${sanitize(this.#host)} can't be judged: only datagrams were exchanged${time}`;
    return noAnswer(sanitize(this.#host), measured) ?? `nothing is clearly wrong with ${sanitize(this.#host)}`;
  }

  /** What was measured where, and who talked to the host. @param isSaid something else was said already */
  #about({ capture, interfaces, branches, ...rest }: Snapshot, hosts: readonly HostRow[], isSaid: boolean): string[] {
    const where = capture.file ?? interfaces.map(({ interface: name }) => name).join(', ');
    const ids = new Set(hosts.map(({ id }) => id));
    const apps = new Set((branches ?? []).filter(({ hostId, app }) => app !== null && ids.has(hostId ?? '')).map(appOf));
    const flows = hosts.reduce((sum, row) => sum + row.flows, 0);
    const who = apps.size === 0 ? '' : ` of ${[...apps].join(', ')}`;
    return [
      ` measured on ${where}${lengthOf({ capture, interfaces, branches, ...rest })}`,
      ...(flows === 0
        ? isSaid
          ? [` nothing was exchanged with ${this.#host}`]
          : []
        : [` ${counted(flows, 'connection')}${who} with ${this.#host}`]),
    ];
  }

  #json(snapshot: Snapshot, hosts: readonly HostRow[], said: readonly Said[]): string {
    const fields = {
      type: 'why',
      schema: SCHEMA,
      host: sanitize(this.#host),
      time: timeField(snapshot.time),
      seconds: Math.round((snapshot.time - snapshot.started) / 1000),
      diagnoses: said.map(({ found, from, to }) => ({
        kind: found.kind,
        text: sanitize(diagnosisText(found, sanitize)),
        from: timeField(from),
        to: timeField(to),
        holds: to === snapshot.time,
      })),
      hosts: hosts.map(({ host, addresses, quality }) => ({
        host: host === null ? null : sanitize(host),
        addresses,
        ...qualityFields(quality),
      })),
      interfaces: snapshot.interfaces.map(({ interface: name, ends, link }) => ({
        interface: sanitize(name),
        ...endFields(ends),
        link: linkFields(link),
      })),
      resolvers: snapshot.dns.resolvers.map(({ address, questions, failed, unanswered, medianMs, slowMs }) => ({
        ...{ address, questions, failed, unanswered },
        ...{ median_ms: medianMs === null ? null : ms(medianMs), p95_ms: slowMs === null ? null : ms(slowMs) },
      })),
    };
    return `${JSON.stringify(fields)}\n`;
  }
}

/** What is said of a host that answered nothing, though too little was asked of it to blame it; null if it answered or wasn't asked. */
function noAnswer(name: string, hosts: readonly HostRow[]): string | null {
  const total = (key: 'answered' | 'refused' | 'unanswered'): number =>
    hosts.reduce((sum, { quality }) => sum + (quality?.all[key] ?? 0), 0);
  const [refused, unanswered] = [total('refused'), total('unanswered')];
  const count = refused + unanswered;
  if (total('answered') > 0 || count === 0) return null;
  if (count > 1) return `${name} answered none of ${count} connections`;
  return refused > 0 ? `${name} refused its only connection` : `${name} left its only connection unanswered`;
}

function appOf({ app }: BranchRow): string {
  return app ?? '';
}

/** True for the host itself, and for hosts of a domain that was asked for. */
function isAbout({ host, domain, addresses }: HostRow, asked: string): boolean {
  return host !== null && (host === asked || domain === asked || host.endsWith(`.${asked}`) || addresses.includes(asked));
}

function medianOf({ quality }: HostRow): number {
  return quality?.all.roundTrips?.medianMs ?? 0;
}

/** The snapshot with the figures of the whole run in place of the last minute's. */
function wholeRun(snapshot: Snapshot, hosts: readonly HostRow[]): Snapshot {
  const whole = (quality: Quality | null): Quality | null => (quality === null ? null : { ...quality, recent: quality.all });
  const { dns } = snapshot;
  const resolvers = dns.resolvers.map((row) => ({ ...row, recentMs: row.medianMs, recentSlowMs: row.slowMs }));
  return {
    ...snapshot,
    dns: { ...dns, resolvers },
    hosts: hosts.map((row) => ({ ...row, quality: whole(row.quality) })),
    interfaces: snapshot.interfaces.map((row) => ({ ...row, ends: { near: whole(row.ends.near), far: whole(row.ends.far) } })),
  };
}

function lengthOf({ time, started }: Snapshot): string {
  return time > started ? ` in ${formatDuration(time - started)}` : '';
}

function qualityFields(quality: Quality | null): Record<string, unknown> {
  if (quality === null)
    return { round_trip: null, segments: 0, retransmits: 0, answered: 0, refused: 0, unanswered: 0, reset: 0 };
  const { all, leastMs } = quality;
  return { round_trip: tripFields(all, leastMs), ...countFields(all) };
}

function tripFields({ roundTrips }: Figures, leastMs: number | null): Record<string, unknown> | null {
  if (roundTrips === null) return null;
  const { medianMs, highMs, samples } = roundTrips;
  return { median_ms: ms(medianMs), p95_ms: ms(highMs), least_ms: ms(leastMs ?? medianMs), samples };
}

/** Milliseconds as exact as they are measured. */
function ms(value: number): number {
  return Number(value.toPrecision(4));
}

function countFields({ segments, sentAgain, receivedAgain, answered, refused, unanswered, reset }: Figures) {
  return { segments, retransmits: sentAgain + receivedAgain, answered, refused, unanswered, reset };
}

function endFields({ near, far }: Ends): Record<string, unknown> {
  return { near: near === null ? null : qualityFields(near), far: far === null ? null : qualityFields(far) };
}

function linkFields(link: LinkQuality | null): Record<string, unknown> | null {
  return link === null ? null : { signal_dbm: link.signal, quality: link.share, rate_mbits: link.rate, weak: link.isWeak };
}
