// `netmon-tui policy init FILE` makes a policy from history; `policy check FILE` judges history by one. History keeps hosts by name, and ports and
// addresses of connections only in the log of the last days; what it doesn't keep is said to be undecidable.

import type { HistoryReader } from '../../history/query/reader.ts';
import { Places } from '../../identify/place/places.ts';
import { FOUND_STATUS, NetmonError } from '../../model/errors.ts';
import type { ReachedHost, TimeRange } from '../../model/history.ts';
import type { Options } from '../../model/options.ts';
import { type Policy, type PolicyFile, VERDICTS, type Verdict, WEAK_NAMES } from '../../model/policy.ts';
import { ADDRESS_WORDS, parseAddress } from '../../net/address.ts';
import { counted } from '../../net/counted.ts';
import { shellWords } from '../../net/quote.ts';
import { sanitize } from '../../net/text.ts';
import { SCHEMA, timeField } from '../../output/fields.ts';
import { type FileOwner, OutputFile } from '../../output/output-file.ts';
import {
  amountColumns,
  fixed,
  flexible,
  REPORT_WIDTHS,
  sheetOf,
  type TextColumn,
  type TextStyle,
  tableLines,
} from '../../output/text-table.ts';
import { drawable } from '../../view/text/cells.ts';
import { formatDateTime, formatGrouped } from '../../view/text/format.ts';
import { isDrift, type Judgement, judge, type Reached } from '../../watch/policy.ts';
import type { CommandLine } from '../command-line.ts';
import { policyText } from '../config/policy-file.ts';
import type { CommandIo, Progress } from './command-io.ts';
import { reading } from './command-io.ts';
import { draftPolicy, type NetworkOf } from './policy-draft.ts';
import { parseRange } from './range.ts';

/** What a policy command needs of the options. */
type PolicyOptions = Pick<Options, 'ascii' | 'color' | 'place' | 'policy'>;

const PAGE_ROWS = 5000;
/** Connections of an app to a host that are told apart. */
const MOST_SIGHTINGS = 32;

/**
 * Makes or checks a policy.
 *
 * @param path of the history file
 * @param owner owner of a new policy; null if the process is that user
 * @returns exit status 0; of `check` FOUND_STATUS on drift. @throws NetmonError `usage`, `history`
 */
export async function policyCommand(
  line: CommandLine,
  options: PolicyOptions,
  path: string,
  owner: FileOwner | null,
  io: CommandIo,
): Promise<number> {
  const places = Places.open(options.place, options.place.home);
  const networkOf: NetworkOf = (address) => {
    const words = new Int32Array(ADDRESS_WORDS);
    const { asn, network } = parseAddress(address, words) ? places.lookup(words, 0) : { asn: null, network: null };
    return asn === null ? null : { asn, name: network };
  };
  if (line.operand === 'init') return init(line, networkOf, path, owner, io);
  if (options.policy === null) throw new Error('the policy was not read');
  return check(line, options, options.policy, networkOf, path, io);
}

async function init(
  line: CommandLine,
  networkOf: NetworkOf,
  path: string,
  owner: FileOwner | null,
  io: CommandIo,
): Promise<number> {
  const target = line.file ?? '';
  if (line.has('json'))
    throw new NetmonError('usage', '--json goes only with policy check', 'leave it out: a policy is written as TOML');
  const range = parseRange(line.text('since'), line.text('until'), io.clock.now(), 'all');
  const file = target === '-' ? null : OutputFile.create(target, line.has('force'), owner);
  try {
    const hosts = await reading(path, io, async (reader) => wanted(await reader.reached(range), line.text('app')));
    if (hosts.length === 0) throw nothing('to make a policy of');
    const first = hosts.reduce((least, { firstSeen }) => Math.min(least, firstSeen), Number.POSITIVE_INFINITY);
    const typed = target === '-' ? 'FILE' : shellWords([target]);
    const text = policyText(
      [
        `A policy: what each app may reach. Made on ${dayText(io.clock.now())} from history since ${dayText(first)}.`,
        `To judge history by it: netmon-tui policy check ${typed}`,
        `To watch a run by it: sudo netmon-tui --policy ${typed}`,
        '',
        'An entry is a host (example.com), all hosts below one (*.example.com), an address or a range of them (10.0.0.0/8),',
        'a network (AS36459: a weak verdict, for many share it) or * for anything. :443 behind it allows this port only.',
        'strict = true under an app: weak and undecidable verdicts count as drift. At the top: of all apps, and apps that',
        'are not listed are drift too.',
      ],
      draftPolicy(hosts, networkOf),
    );
    if (file === null) await io.out.write(text);
    else {
      await file.write(text);
      await file.commit();
      await io.err.write(`the policy is in ${file.path}\n`);
    }
  } finally {
    await file?.discard();
  }
  return 0;
}

function wanted(hosts: readonly ReachedHost[], app: string | null): readonly ReachedHost[] {
  return app === null || app === '' ? hosts : hosts.filter((one) => one.app === app);
}

function nothing(what: string): NetmonError {
  return new NetmonError(
    'history',
    `no app reached anything in this range: there is nothing ${what}`,
    'see what is recorded: netmon-tui history --since all --by app',
  );
}

function dayText(time: number): string {
  return formatDateTime(time).slice(0, 10);
}

/** A host that an app reached, and what the policy says to it. */
interface Judged extends ReachedHost, Judgement {
  readonly drift: boolean;
}

async function check(
  line: CommandLine,
  options: PolicyOptions,
  { path: policyPath, policy }: PolicyFile,
  networkOf: NetworkOf,
  path: string,
  io: CommandIo,
): Promise<number> {
  if (line.has('force')) throw new NetmonError('usage', '--force goes only with policy init', 'leave it out');
  const range = parseRange(line.text('since'), line.text('until'), io.clock.now(), '7d');
  const judged = await reading(path, io, async (reader, progress) => {
    const hosts = wanted(await reader.reached(range), line.text('app'));
    const sightings = await sightingsIn(reader, range, progress);
    return hosts.map((host) => judgeHost(policy, host, sightings.of(host), networkOf));
  });
  if (judged.length === 0) throw nothing('to judge');
  judged.sort(
    (a, b) =>
      Number(b.drift) - Number(a.drift) ||
      VERDICTS.indexOf(b.verdict) - VERDICTS.indexOf(a.verdict) ||
      b.rxBytes + b.txBytes - a.rxBytes - a.txBytes,
  );
  const { out } = io;
  const style = { columns: out.columns, color: options.color && out.isTerminal, ascii: options.ascii };
  await out.write(line.has('json') ? judged.map(judgedLine).join('') : judgedText(judged, policyPath, range, style));
  return judged.some(({ drift }) => drift) ? FOUND_STATUS : 0;
}

/** A connection as far as a policy cares. */
type Sighting = Pick<Reached, 'address' | 'port'> & { readonly isNamed: boolean };

/** Connections of the log by app and host: a few of each. */
class Sightings {
  readonly #byHost = new Map<string, Map<string, Sighting>>();

  add(app: string, host: string, sighting: Sighting): void {
    const key = `${app}\0${host}`;
    let known = this.#byHost.get(key);
    if (known === undefined) {
      known = new Map();
      this.#byHost.set(key, known);
    }
    if (known.size < MOST_SIGHTINGS) known.set(`${sighting.address} ${sighting.port} ${sighting.isNamed}`, sighting);
  }

  of({ app, host }: ReachedHost): readonly Sighting[] {
    return host === null ? [] : [...(this.#byHost.get(`${app}\0${host}`)?.values() ?? [])];
  }
}

async function sightingsIn(reader: HistoryReader, { from, to }: TimeRange, progress: Progress): Promise<Sightings> {
  const sightings = new Sightings();
  let count = 0;
  for await (const page of reader.flows(from, to, PAGE_ROWS)) {
    for (const { app, host, direction, remoteAddress, remotePort, nameSource } of page) {
      if (app === null || host === null || direction !== 'outbound') continue;
      sightings.add(app, host, { address: remoteAddress, port: remotePort, isNamed: !WEAK_NAMES.includes(nameSource) });
    }
    count += page.length;
    progress.tell(`judging, ${counted(count, 'connection')} so far`);
  }
  return sightings;
}

/** The worst verdict of all that is known of a host: whatever else was reached there may be fine. */
function judgeHost(policy: Policy, host: ReachedHost, sightings: readonly Sighting[], networkOf: NetworkOf): Judged {
  const found =
    sightings.length === 0
      ? [unlogged(host)]
      : sightings.map((sighting) => ({ ...unlogged(host), ...sightingOf(host, sighting) }));
  const judgements = found.map((one) =>
    judge(policy, { ...one, asn: one.address === null ? null : (networkOf(one.address)?.asn ?? null) }),
  );
  const worst = judgements.reduce((a, b) => (VERDICTS.indexOf(b.verdict) > VERDICTS.indexOf(a.verdict) ? b : a));
  return { ...host, ...worst, drift: isDrift(policy, host.app, worst.verdict) };
}

/** What a record alone says. */
function unlogged({ app, host }: ReachedHost): Reached {
  const isAddress = host !== null && parseAddress(host, new Int32Array(ADDRESS_WORDS));
  const hidden = host === null ? 'history no longer tells these hosts apart' : null;
  return { app, name: isAddress ? null : host, address: isAddress ? host : null, port: null, asn: null, hidden };
}

function sightingOf(host: ReachedHost, { address, port, isNamed }: Sighting): Pick<Reached, 'address' | 'port' | 'name'> {
  return { address, port, name: isNamed ? unlogged(host).name : null };
}

function judgedLine(row: Judged): string {
  const fields = {
    type: 'policy',
    schema: SCHEMA,
    app: row.app,
    host: row.host,
    domain: row.domain,
    verdict: row.verdict,
    drift: row.drift,
    rule: row.rule,
    reason: row.reason === '' ? null : row.reason,
    rx_bytes: row.rxBytes,
    tx_bytes: row.txBytes,
    flows: row.flows,
    first_seen: timeField(row.firstSeen),
    last_seen: timeField(row.lastSeen),
  };
  return `${JSON.stringify(fields, (_, value) => (typeof value === 'string' ? sanitize(value) : value))}\n`;
}

/** Verdicts in words. */
const WORDS: Readonly<Record<Verdict, string>> = {
  name: 'by name',
  address: 'by address',
  network: 'weak',
  unjudged: "can't judge",
  undeclared: 'undeclared',
  drift: 'drift',
};
/** Rows that are listed of what is no drift. */
const MOST_LISTED = 40;

function judgedText(judged: readonly Judged[], path: string, { from, to }: TimeRange, style: TextStyle): string {
  const sheet = sheetOf(style, REPORT_WIDTHS);
  const { paint, glyphs } = sheet;
  const begin = from === 0 ? 'the beginning' : formatDateTime(from).slice(0, 16);
  const drifts = judged.filter(({ drift }) => drift);
  const doubtful = judged.filter(({ drift, verdict }) => !drift && (verdict === 'unjudged' || verdict === 'network'));
  const lines = [
    paint.title(drawable(`${path}, by history from ${begin} to ${formatDateTime(to).slice(0, 16)}`, glyphs)),
    drifts.length === 0 ? 'no drift' : `${counted(drifts.length, 'host')} outside the policy`,
    paint.dim(summary(judged)),
  ];
  const listed = [...drifts, ...doubtful.slice(0, MOST_LISTED)];
  if (listed.length > 0) lines.push('', ...tableLines(columns(sheet.width), listed, sheet));
  if (doubtful.length > MOST_LISTED)
    lines.push(paint.dim(`and ${formatGrouped(doubtful.length - MOST_LISTED)} more; all are in --json`));
  const undeclared = new Set(judged.flatMap(({ app, verdict, drift }) => (verdict === 'undeclared' && !drift ? [app] : [])));
  if (undeclared.size > 0) lines.push('', drawable(`not in the policy: ${[...undeclared].sort().join(', ')}`, glyphs));
  return `${lines.join('\n')}\n`;
}

/** `42 by name, 3 by address, 1 weak, 2 undeclared`. */
function summary(judged: readonly Judged[]): string {
  const parts = VERDICTS.flatMap((verdict) => {
    const count = judged.filter((one) => one.verdict === verdict).length;
    return count === 0 ? [] : [`${formatGrouped(count)} ${WORDS[verdict]}`];
  });
  return `${counted(judged.length, 'host')}: ${parts.join(', ')}`;
}

function columns(width: number): TextColumn<Judged>[] {
  return [
    fixed<Judged>('verdict', 11, 'left', ({ verdict }) => WORDS[verdict]),
    flexible<Judged>('app', 10, 1, ({ app }) => app),
    flexible<Judged>('host', 14, 2, ({ host }) => host ?? 'other hosts', 'start'),
    ...amountColumns<Judged>('bytes'),
    ...(width >= 90 ? [fixed<Judged>('last', 16, 'left', ({ lastSeen }) => formatDateTime(lastSeen).slice(0, 16))] : []),
    flexible<Judged>('why', 12, 1, whyText),
  ];
}

function whyText({ verdict, rule, reason }: Judged): string {
  if (verdict === 'network') return `only ${rule} fits`;
  if (verdict === 'undeclared') return 'app is not listed';
  if (verdict === 'unjudged') return reason;
  return 'no entry fits';
}
