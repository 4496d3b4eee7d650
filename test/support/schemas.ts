// Makes schema/*.json (JSON Schema 2020-12) from the table of settings and from the fields of the JSON stream, and checks values by them.

import { SETTINGS, type Setting } from '../../src/cli/config/settings.ts';
import { ALERT_KINDS, SEVERITIES } from '../../src/model/alert.ts';
import { DNS_TRANSPORTS } from '../../src/model/dns.ts';
import { HISTORY_KEYS } from '../../src/model/history.ts';
import { REACHES } from '../../src/model/listeners.ts';
import { RULE_PERIODS } from '../../src/model/options.ts';
import { VERDICTS } from '../../src/model/policy.ts';
import type { Gap } from '../../src/model/snapshot.ts';
import {
  type ApplicationSource,
  ATTRIBUTIONS,
  ENCRYPTED_TRANSPORTS,
  FLOW_DIRECTIONS,
  INTERFACE_KINDS,
  NAME_SOURCES,
  PUBLISHER_KINDS,
} from '../../src/model/terms.ts';
import { COMMANDS } from '../../src/view/action.ts';

/** The part of JSON Schema that is used here. */
export interface Schema {
  readonly $schema?: string;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly minimum?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
}

const DIALECT = 'https://json-schema.org/draft/2020-12/schema';
const object = (properties: Record<string, Schema>): Schema => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
});
const list = (items: Schema): Schema => ({ type: 'array', items });
const ref = (name: string): Schema => ({ $ref: `#/$defs/${name}` });
const said = (schema: Schema, description: string): Schema => ({ ...schema, description });
const orNull = (schema: Schema): Schema =>
  schema.$ref === undefined ? { ...schema, type: [schema.type as string, 'null'] } : { oneOf: [schema, { type: 'null' }] };

const text: Schema = { type: 'string' };
const flag: Schema = { type: 'boolean' };
const count: Schema = { type: 'integer', minimum: 0 };
const rate: Schema = { type: 'number', minimum: 0 };
const time: Schema = { type: ['string', 'null'], format: 'date-time' };
const word = (words: readonly string[]): Schema => ({ type: 'string', enum: words });

const GAP_REASONS = ['sleep', 'clock', 'loss', 'interface'] as const satisfies readonly Gap['reason'][];
const APPLICATION_SOURCES = ['content', 'port', 'none'] as const satisfies readonly ApplicationSource[];

const container = object({
  engine: text,
  id: text,
  name: orNull(text),
  image: orNull(text),
  pod: orNull(text),
  namespace: orNull(text),
  project: orNull(text),
  reason: said(orNull(text), "why its engine's files don't tell its name"),
});
const ancestor = object({ pid: count, name: text, started: time });
const publisher = object({
  kind: word(PUBLISHER_KINDS),
  name: orNull(text),
  version: orNull(text),
  by: said(orNull(text), 'Team ID, or who maintains the package'),
  source: orNull(text),
  note: orNull(text),
});
/** A process with what --lineage adds. */
const withLineage = (process: Schema): Schema => ({
  ...process,
  properties: {
    ...process.properties,
    lineage: said(
      object({
        ancestors: list(ancestor),
        origin: { oneOf: [ancestor, { type: 'null' }] },
        session: orNull(count),
        terminal: orNull(text),
        command: orNull(text),
      }),
      'with --lineage',
    ),
  },
});

const counters = { rx_bytes: count, tx_bytes: count, rx_packets: count, tx_packets: count };
const traffic = { ...counters, rx_rate: rate, tx_rate: rate };
const seen = { first_seen: time, last_seen: time };
const place = { country: orNull(text), asn: orNull(count), network: orNull(text) };
const quality = {
  round_trip: orNull(object({ median_ms: rate, p95_ms: said(rate, 'that of 95 %'), least_ms: rate, samples: count })),
  segments: said(count, 'TCP segments with payload, both directions'),
  retransmits: said(count, 'of those, the ones sent again'),
  answered: count,
  refused: count,
  unanswered: count,
  reset: count,
};
const head = (type: string) => ({ type: { const: type }, schema: { const: 1 } });
const ruling = { category: text, source: word(['user', 'domain', 'app', 'application', 'port', 'default']), rule: text };

const flow = {
  id: said(text, 'unique within a run'),
  protocol: text,
  interface: text,
  local: ref('endpoint'),
  remote: ref('endpoint'),
  direction: said(word(FLOW_DIRECTIONS), 'who opened it, as this machine sees it'),
  state: text,
  app: orNull(text),
  pid: orNull(count),
  attribution: said(word(ATTRIBUTIONS), 'how the owner is known'),
  reason: said(orNull(text), 'why there is no owner'),
  peer_app: orNull(text),
  peer_pid: orNull(count),
  on_behalf_of: orNull(text),
  host: said(orNull(text), 'a name, or the address if there is none'),
  name_source: word(NAME_SOURCES),
  name_reason: said(orNull(text), 'why there is no name'),
  domain: orNull(text),
  application: orNull(text),
  application_source: word(APPLICATION_SOURCES),
  category: orNull(text),
  ...place,
  ...seen,
  rtt_ms: orNull(rate),
  retransmits: count,
  ja4: said(orNull(text), "JA4 of the client's hello"),
  ja4s: said(orNull(text), "JA4S of the server's hello"),
  tunnel: orNull(text),
  carries: said(flag, 'whether it carries a tunnel whose flows are listed'),
  inside: orNull(ref('inside')),
  ...traffic,
};

const encrypted = {
  app: orNull(text),
  reason: said(orNull(text), 'why there is no app'),
  resolver: said(text, 'name or address'),
  transport: word(ENCRYPTED_TRANSPORTS),
  connections: count,
  rx_bytes: count,
  tx_bytes: count,
  last_seen: time,
};

const snapshot = {
  seq: count,
  time,
  started: said(time, 'when the capture began; in a replay, the time of its first packet'),
  interval_ms: count,
  capture: ref('capture'),
  total: object({ ...traffic, unowned_bytes: count, passing_bytes: orNull(count) }),
  apps: list(ref('app')),
  hosts: list(ref('host')),
  categories: list(object({ category: orNull(text), flows: count, ...traffic })),
  interfaces: list(ref('interface_row')),
  flows: list(ref('flow')),
  flows_total: count,
  flows_evicted: count,
  encrypted_dns: list(object(encrypted)),
  gaps: list(ref('gap_fields')),
};

const gap = { from: time, to: time, reason: word(GAP_REASONS), detail: text };

const capture = object({
  driver: text,
  interfaces: list(text),
  attribution: said(text, 'where owners come from: ebpf, procfs, pktap ...'),
  file: orNull(text),
  packets: orNull(count),
  frame_bytes: orNull(count),
  dropped: said(orNull(count), 'by the kernel and the interface'),
  shed: said(count, 'dropped by netmon-tui'),
  undecoded: count,
  truncated: count,
  malformed: count,
  unsupported: count,
  interface_bytes: orNull(count),
  interface_dropped: orNull(count),
  counted_frame_bytes: orNull(count),
  counted_interface_bytes: orNull(count),
  snap_length: object({ bulk: count, whole: count }),
  buffer_bytes: orNull(count),
  note: orNull(text),
  reverse_dns: flag,
  history: orNull(
    object({
      state: word(['recording', 'busy', 'failing']),
      path: text,
      note: orNull(text),
      saved_at: time,
      file_bytes: orNull(count),
    }),
  ),
  places: list(ref('place_file')),
  places_note: orNull(text),
  privileges: orNull(object({ user: text, uid: count, dropped: flag, kept: list(text), note: orNull(text) })),
  fallbacks: list(object({ driver: text, reason: text })),
  skipped_samples: said(count, 'lines left out because the reader was too slow'),
  skipped_events: count,
});

const LINES = {
  sample: object({ ...head('sample'), ...snapshot }),
  end: object({ ...head('end'), ...snapshot }),
  open: object({ ...head('open'), time, ...flow }),
  close: object({ ...head('close'), time, ...flow }),
  gap: object({ ...head('gap'), time, ...gap }),
  dns: object({
    ...head('dns'),
    time: said(time, 'when it was asked'),
    name: said(text, 'the name asked for'),
    domain: orNull(text),
    record_type: said(text, 'A, AAAA, HTTPS ...'),
    app: orNull(text),
    pid: orNull(count),
    reason: said(orNull(text), 'why there is no app'),
    on_behalf_of: orNull(text),
    resolver: ref('endpoint'),
    transport: word(DNS_TRANSPORTS),
    interface: text,
    direction: word(FLOW_DIRECTIONS),
    result: said(text, 'NOERROR, NODATA, NXDOMAIN, SERVFAIL ..., truncated, no answer, waiting'),
    answers: said(list(text), 'the first ones'),
    answer_count: count,
    took_ms: said(orNull(rate), 'until the answer'),
    tries: count,
  }),
  encrypted_dns: object({ ...head('encrypted_dns'), time: said(time, 'the last minute of it'), ...encrypted }),
  alert: object({
    ...head('alert'),
    id: said(text, 'unique across runs and machines'),
    time,
    kind: word(ALERT_KINDS),
    severity: word(SEVERITIES),
    app: orNull(text),
    exe: orNull(text),
    pid: orNull(count),
    user: orNull(text),
    host: orNull(text),
    domain: orNull(text),
    text: said(text, 'one sentence'),
    details: list(text),
    evidence: said(orNull(text), 'a file with the packets that show it'),
    held: said(orNull(text), 'why it is not delivered: learning, muted, no history'),
  }),
  interface: object({
    ...head('interface'),
    name: text,
    index: count,
    up: flag,
    running: orNull(flag),
    kind: word(INTERFACE_KINDS),
    addresses: list(text),
    link_type: orNull(text),
    default: flag,
  }),
  listener: object({
    ...head('listener'),
    protocol: word(['tcp', 'udp']),
    address: said(text, '* for any'),
    port: count,
    reach: said(word(REACHES), 'from where it can be reached, as far as its address says'),
    app: orNull(text),
    exe: orNull(text),
    pid: orNull(count),
    user: orNull(text),
    unit: orNull(text),
    started: said(time, 'start of the process'),
    other_namespace: flag,
    container: orNull(container),
  }),
  doctor: object({
    ...head('doctor'),
    version: text,
    failed: count,
    steps: list(object({ part: text, step: text, result: word(['ok', 'no', 'skipped']), detail: text, remedy: orNull(text) })),
  }),
  explain: object({
    ...head('explain'),
    host: orNull(text),
    address: orNull(text),
    domain: orNull(text),
    app: orNull(text),
    port: orNull(count),
    ...ruling,
    otherwise: list(object(ruling)),
    ...place,
    place_data: list(ref('place_file')),
  }),
  why: object({
    ...head('why'),
    host: said(text, 'the host that was asked about'),
    time,
    seconds: said(count, 'how long was measured'),
    diagnoses: said(
      list(object({ kind: text, text, from: time, to: time, holds: said(flag, 'whether it held at the end') })),
      'what was clearly wrong with the host, with names or with everything',
    ),
    hosts: said(list(object({ host: orNull(text), addresses: list(text), ...quality })), 'the host, or those of the domain'),
    interfaces: list(
      object({
        interface: text,
        near: orNull(object(quality)),
        far: orNull(object(quality)),
        link: orNull(
          object({
            signal_dbm: orNull({ type: 'number' }),
            quality: said(orNull(rate), 'of the best, 0 to 1'),
            rate_mbits: orNull(rate),
            weak: flag,
          }),
        ),
      }),
    ),
    resolvers: list(
      object({
        address: text,
        questions: count,
        failed: count,
        unanswered: count,
        median_ms: orNull(rate),
        p95_ms: orNull(rate),
      }),
    ),
  }),
  history: object({
    ...head('history'),
    since: time,
    until: time,
    by: word(HISTORY_KEYS),
    only: object({
      app: orNull(text),
      domain: orNull(text),
      category: orNull(text),
      interface: orNull(text),
      filter: orNull(text),
    }),
    resolution_ms: count,
    oldest: time,
    newest: time,
    total: object({ ...counters, flows: count }),
    rows: list({
      ...object({ reason: orNull(text), ...counters, flows: count, ...seen }),
      description: 'with the key under the name that `by` has; by app also `exe`, by host also `domain`',
      additionalProperties: { type: ['string', 'null'] },
    }),
  }),
  query: object({
    ...head('query'),
    columns: list(text),
    rows: list(list({ type: ['string', 'number', 'null'] })),
    cut: said(flag, 'whether there are more rows'),
  }),
};

/** What a line of `--json` is, by its `type`. Further fields are allowed, for within schema 1 fields may be added. */
export function linesSchema(): Schema {
  return {
    $schema: DIALECT,
    title: 'a line of netmon-tui --json',
    description:
      'Bytes are network-layer bytes since the start, rates are bytes/s, null is unknown. Later versions may add fields.',
    oneOf: Object.keys(LINES).map(ref),
    $defs: {
      ...LINES,
      app: object({
        app: orNull(text),
        reason: said(orNull(text), 'why there is no app'),
        exe: orNull(text),
        pids: list(count),
        user: orNull(text),
        processes: list(
          withLineage(
            object({
              pid: orNull(count),
              name: text,
              exe: orNull(text),
              user: orNull(text),
              parent_pid: orNull(count),
              started: time,
              script: orNull(text),
              unit: orNull(text),
              container: orNull(container),
              publisher: said({ oneOf: [publisher, { type: 'null' }] }, 'who made its executable; null until that was looked up'),
            }),
          ),
        ),
        process_count: count,
        flows: count,
        ...seen,
        ...traffic,
      }),
      host: object({
        host: orNull(text),
        reason: orNull(text),
        domain: orNull(text),
        name_source: word(NAME_SOURCES),
        addresses: list(text),
        category: orNull(text),
        ...place,
        mac: orNull(text),
        vendor: orNull(text),
        flows: count,
        ...seen,
        ...traffic,
      }),
      interface_row: object({
        interface: text,
        kind: word(INTERFACE_KINDS),
        headline: said(flag, 'whether its bytes count in the total now'),
        passing_bytes: orNull(count),
        frame_bytes: orNull(count),
        interface_bytes: said(orNull(count), 'what the interface counted itself'),
        interface_dropped: orNull(count),
        interface_errors: orNull(count),
        ...traffic,
      }),
      flow: object(flow),
      inside: object({ protocol: text, source: ref('endpoint'), destination: ref('endpoint'), host: orNull(text) }),
      endpoint: object({ address: text, port: count }),
      gap_fields: object(gap),
      capture,
      place_file: object({ path: text, type: text, built: orNull(text) }),
    },
  };
}

/** The receipt of a command. */
export function receiptSchema(): Schema {
  return {
    $schema: DIALECT,
    title: 'a receipt of netmon-tui run',
    description: 'Bytes are network-layer bytes, null is unknown. Later versions may add fields.',
    ...object({
      ...head('receipt'),
      command: list(text),
      user: text,
      session: said(orNull(count), 'pid of the process that was followed; null if the command was run'),
      status: said(orNull(count), 'of the command: 128 + n after signal n; null of a session'),
      started: time,
      ended: time,
      duration_ms: count,
      membership: word(['cgroup', 'lineage', 'polling']),
      membership_note: said(orNull(text), "why it isn't the cgroup"),
      attribution: text,
      interfaces: list(text),
      total: said(object({ ...counters, connections: count }), "each connection once, though both its ends may be the command's"),
      processes_begun: orNull(count),
      processes_left: orNull(count),
      processes: list(
        object({
          ...{ pid: count, name: text, exe: orNull(text), app: text, user: orNull(text), ancestors: list(text), started: time },
          membership: word(['cgroup', 'lineage']),
        }),
      ),
      destinations: list(
        object({
          process: said(orNull(count), 'index into processes'),
          pid: count,
          app: text,
          direction: word(FLOW_DIRECTIONS),
          protocol: text,
          host: orNull(text),
          domain: orNull(text),
          name_source: word(NAME_SOURCES),
          name_reason: orNull(text),
          address: text,
          port: said(count, 'of the service; 0 without ports'),
          application: orNull(text),
          asn: orNull(count),
          attribution: word(ATTRIBUTIONS),
          connections: count,
          refused: count,
          unanswered: count,
          ...counters,
          ...seen,
        }),
      ),
      names: list(object({ pid: count, app: orNull(text), name: text, type: text, result: text, resolver: text, times: count })),
      listeners: list(
        object({
          ...{ pid: count, app: orNull(text), protocol: word(['tcp', 'udp']), address: text, port: count },
          ...{ reach: word(REACHES), accepted: orNull(count) },
        }),
      ),
      untold: object({
        ...{ connections: count, bytes: count, lost_packets: count, unread_packets: count, missed_questions: count },
        ...{ folded_rows: count, notes: list(text) },
      }),
      policy: {
        oneOf: [
          object({
            path: text,
            drift: count,
            judgements: list(
              object({
                ...{ app: text, host: orNull(text), address: text, port: count, verdict: word(VERDICTS), drift: flag },
                ...{ rule: orNull(text), reason: orNull(text) },
              }),
            ),
          }),
          { type: 'null' },
        ],
      },
    }),
  };
}

function settingSchema({ type, initial, unset, help }: Setting<unknown>): Schema {
  const common = {
    description: help,
    ...(unset === undefined && initial !== null ? { default: type.write(initial as NonNullable<unknown>) } : {}),
  };
  if (type.form === 'boolean') return { ...flag, ...common };
  const isChoice = Array.isArray(type.offers) && type.offers.length > 0 && type.read(['another word']) === undefined;
  if (isChoice && type.form !== 'strings') return { ...word(type.offers as readonly string[]), ...common };
  const described = { ...common, description: `${help}; takes ${type.noun}` };
  const entry = isChoice ? word(type.offers as readonly string[]) : text;
  if (type.form === 'strings') return { oneOf: [entry, list(entry)], ...described };
  if (type.form === 'integer') return { type: 'integer', ...described };
  return { ...text, ...described, examples: [type.example.replaceAll("'", '')] };
}

/** What config.toml may hold. Kinds of values and all names; what a text has to look like is in its description. */
export function configSchema(): Schema {
  const top: Record<string, Schema> = {};
  const tables = new Map<string, Record<string, Schema>>();
  for (const [name, setting] of Object.entries<Setting<unknown>>(SETTINGS)) {
    const dot = name.lastIndexOf('.');
    const [table, key] = [name.slice(0, Math.max(0, dot)), name.slice(dot + 1)];
    if (table === '') top[name] = settingSchema(setting);
    else tables.set(table, { ...tables.get(table), [key]: settingSchema(setting) });
  }
  const closed = (properties: Record<string, Schema>): Schema => ({ type: 'object', properties, additionalProperties: false });
  for (const [name, keys] of [...tables].reverse()) {
    const dot = name.lastIndexOf('.');
    if (dot < 0) continue;
    const outer = name.slice(0, dot);
    tables.set(outer, { ...tables.get(outer), [name.slice(dot + 1)]: closed(keys) });
    tables.delete(name);
  }
  const { budget = {}, ...others } = Object.fromEntries(tables);
  return {
    $schema: DIALECT,
    title: 'config.toml of netmon-tui',
    ...closed({
      ...top,
      ...Object.fromEntries(Object.entries(others).map(([name, keys]) => [name, closed(keys)])),
      budget: said(
        { oneOf: [text, { ...closed(budget), required: ['amount'] }] },
        'a text is short for a table with that amount',
      ),
      categories: {
        type: 'object',
        description: 'domains and words of a category: "example.com", "full:www.example.com", "file:list.txt"',
        additionalProperties: list(text),
      },
      attach: {
        type: 'object',
        description: 'groups of machines for netmon-tui attach, such as office = ["mac1", "ann@db3"]',
        additionalProperties: list(text),
      },
      alert: said(
        list({
          ...closed({
            name: text,
            when: said(text, 'a filter'),
            over: said(text, 'an amount of bytes, RX and TX together'),
            per: word(RULE_PERIODS),
            for: said(text, 'how long it has to hold'),
            severity: word(SEVERITIES),
          }),
          required: ['name', 'when'],
        }),
        'rules of alerts: when a connection matches, when one does for a time, or when they move too much in a period',
      ),
      keys: said(
        closed(Object.fromEntries(COMMANDS.map((name) => [name, list(text)]))),
        'keys of an action, such as ["x", "ctrl+x"]',
      ),
    }),
  };
}

const ANNOTATIONS = ['$schema', '$defs', 'title', 'description', 'default', 'examples', 'format'];
const kindOf = (value: unknown) => {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value;
};
const isOf = (type: string, value: unknown) => kindOf(value) === type || (type === 'integer' && Number.isInteger(value));

/**
 * What is wrong with a value, one line each. A field that the schema doesn't name is wrong even if the schema allows more.
 *
 * @throws Error for a keyword that isn't checked here
 */
export function faults(value: unknown, schema: Schema, root: Schema = schema, at = ''): string[] {
  const found: string[] = [];
  for (const [keyword, wanted] of Object.entries(schema)) {
    if (keyword === '$ref') {
      const name = String(wanted).replace('#/$defs/', '');
      const target = root.$defs?.[name];
      if (target === undefined) throw new Error(`no $defs/${name}`);
      found.push(...faults(value, target, root, at));
    } else if (keyword === 'type') {
      if (![wanted].flat().some((type) => isOf(type as string, value)))
        found.push(`${at}: ${JSON.stringify(value)} is not ${wanted}`);
    } else if (keyword === 'const') {
      if (value !== wanted) found.push(`${at}: ${JSON.stringify(value)} is not ${JSON.stringify(wanted)}`);
    } else if (keyword === 'enum') {
      if (!(wanted as unknown[]).includes(value)) found.push(`${at}: ${JSON.stringify(value)} is none of ${wanted}`);
    } else if (keyword === 'minimum') {
      if (typeof value === 'number' && value < (wanted as number)) found.push(`${at}: ${value} is below ${wanted}`);
    } else if (keyword === 'oneOf') {
      const branches = schema.oneOf?.map((branch) => faults(value, branch, root, at)) ?? [];
      const holding = branches.filter((each) => each.length === 0).length;
      // the nearest branch says most
      if (holding === 0) found.push(...(branches.sort((a, b) => a.length - b.length)[0] ?? []));
      else if (holding > 1) found.push(`${at}: is ${holding} of the branches`);
    } else if (keyword === 'items') {
      if (Array.isArray(value))
        for (const [index, item] of value.entries()) found.push(...faults(item, wanted as Schema, root, `${at}[${index}]`));
    } else if (keyword === 'required') {
      if (kindOf(value) === 'object')
        for (const name of wanted as string[]) if (!Object.hasOwn(value as object, name)) found.push(`${at}.${name}: is missing`);
    } else if (keyword === 'properties' || keyword === 'additionalProperties') {
      if (keyword === 'additionalProperties' && schema.properties !== undefined) continue; // checked with the properties
      if (kindOf(value) === 'object')
        for (const [name, inner] of Object.entries(value as object)) {
          const named = schema.properties?.[name];
          const others = schema.additionalProperties;
          if (named !== undefined) found.push(...faults(inner, named, root, `${at}.${name}`));
          else if (typeof others === 'object') found.push(...faults(inner, others, root, `${at}.${name}`));
          else found.push(`${at}.${name}: is not in the schema`);
        }
    } else if (!ANNOTATIONS.includes(keyword)) throw new Error(`the keyword ${keyword} is not checked`);
  }
  return found;
}

/** What is wrong with a line of `--json`. */
export function lineFaults(line: unknown): string[] {
  const schema = linesSchema();
  const type = (line as { type?: string }).type ?? '';
  if (!Object.hasOwn(LINES, type)) return [`type: no line has the type "${type}"`];
  return faults(line, ref(type), schema);
}
