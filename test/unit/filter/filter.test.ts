import { describe, expect, test } from 'vitest';
import { FIELDS, type FilterSubject } from '../../../src/filter/fields.ts';
import { compileFilter } from '../../../src/filter/filter.ts';
import type { FlowRow } from '../../../src/model/snapshot.ts';

const NOW = 1_000_000;
const curl: FilterSubject = {
  app: 'curl',
  pid: 4711,
  exe: '/usr/bin/curl',
  user: 'anna',
  host: 'www.Example.com',
  domain: 'example.com',
  nameSource: 'tls',
  local: { address: '192.168.1.20', port: 51_000 },
  remote: { address: '93.184.216.34', port: 443 },
  protocol: 'tcp',
  application: 'https',
  state: 'established',
  direction: 'outbound',
  interface: 'en0',
  category: 'news',
  country: 'US',
  asn: 15_133,
  rxBytes: 2_000_000,
  txBytes: 1024,
  rxPackets: 1500,
  txPackets: 500,
  rxRate: 1000,
  txRate: 24,
  firstSeen: NOW - 90_000,
  lastSeen: NOW - 5000,
  rttMs: 48,
  attribution: 'exact',
  retransmits: 3,
  closed: false,
  isNew: true,
};
const ssh: FilterSubject = {
  app: 'Remote Login (sshd)',
  pid: 22,
  host: null,
  local: { address: 'fe80::1', port: 22 },
  remote: { address: '2001:db8::7', port: 60_123 },
  protocol: 'tcp',
  direction: 'inbound',
  attribution: 'listener',
  nameSource: 'none',
  retransmits: 0,
  closed: true,
  isNew: false,
};
const at = (pid: number, name: string) => ({ pid, name, startedAt: null });
const npm = {
  ancestors: [at(1, 'systemd'), at(512, 'zsh'), at(700, 'npm')],
  origin: at(400, 'code'),
  command: 'node a.js --token=***',
  unit: 'app.service',
  container: null,
  publisher: { kind: 'package', name: 'nodejs', version: '20', by: 'Debian', source: 'dpkg', note: null, digest: null } as const,
};
const pipe: FilterSubject = {
  ...{ app: 'node', peerApp: 'postgres', pid: 7, peerPid: 8, direction: 'local', process: npm },
  peerProcess: {
    ancestors: [at(1, 'systemd')],
    origin: at(8, 'postgres'),
    command: null,
    unit: 'postgresql.service',
    container: null,
    publisher: null,
  },
};
const unknown: FilterSubject = { app: null, pid: null };
const ALL = { curl, ssh, pipe, unknown };

function passing(text: string): string {
  const result = compileFilter(text);
  if (!result.ok) throw new Error(`${result.column}: ${result.message}`);
  return Object.entries(ALL)
    .filter(([, subject]) => result.filter.matches(subject, NOW))
    .map(([name]) => name)
    .join(' ');
}

test('words find the look-ups of a name, but host and domain are the remote end', () => {
  const lookup: FilterSubject = { host: 'dns.example.net', domain: 'example.net', asked: { name: 'api.example.com' } };
  const passes = (text: string) => {
    const result = compileFilter(text);
    return result.ok && result.filter.matches(lookup, NOW);
  };
  expect(['EXAMPLE.com', '/^api\\./', 'asked:example.com', 'asked=api.example.com'].filter(passes)).toHaveLength(4);
  expect(['host:example.com', 'domain:example.com', 'asked:example.net', 'example.org'].filter(passes)).toEqual([]);
});

describe('what passes', () => {
  test.each([
    ['', 'curl ssh pipe unknown'],
    ['   ', 'curl ssh pipe unknown'],
    // words
    ['curl', 'curl'],
    ['CURL', 'curl'],
    ['example', 'curl'],
    ['news', 'curl'],
    ['443', 'curl'],
    ['44', ''],
    ['192.168', 'curl'],
    ['fe80::1', 'ssh'],
    ['2001:db8', 'ssh'],
    ['::7', 'ssh'],
    [':22', 'ssh'],
    ['example.com:443', 'curl'],
    ['93.184.216.34:443', 'curl'],
    ['93.184.216.34:80', ''],
    ['[fe80::1]:22', 'ssh'],
    ['postgres', 'pipe'],
    ['"remote login"', 'ssh'],
    ['/^www\\./', 'curl'],
    ['/^(curl|node)$/', 'curl pipe'],
    ['/^443$/', 'curl'],
    // processes above
    ['parent:npm', 'pipe'],
    ['parent:zsh', ''],
    ['parent=systemd', 'pipe'], // of the other end
    ['parent=700', 'pipe'],
    ['parent:70', ''],
    ['ancestor:zsh', 'pipe'],
    ['ancestor:NPM', 'pipe'],
    ['ancestor=code', 'pipe'], // further up than what is kept
    ['ancestor:400', 'pipe'],
    ['ancestor:40', ''],
    ['ancestor:node', ''],
    ['ancestor~^(zsh|fish)$', 'pipe'],
    ['ancestor!=zsh', 'curl ssh unknown'],
    ['cmd:a.js', 'pipe'],
    ['cmd:"node a"', 'pipe'],
    ['cmd~--token', 'pipe'],
    ['unit:app.', 'pipe'],
    ['publisher:nodejs', 'pipe'],
    ['publisher:debian', 'pipe'],
    ['publisher=package', 'pipe'],
    ['publisher!=package', 'curl ssh unknown'],
    ['unit=postgresql.service', 'pipe'],
    ['"and"', ''],
    // joining
    ['curl news', 'curl'],
    ['curl and news', 'curl'],
    ['curl && news', 'curl'],
    ['curl postgres', ''],
    ['curl or postgres', 'curl pipe'],
    ['curl||postgres', 'curl pipe'],
    ['curl&&news', 'curl'],
    ['app:curl||app:node', 'curl pipe'],
    ['curl news or node', 'curl pipe'],
    ['curl (news or node)', 'curl'],
    ['(app:curl)', 'curl'],
    ['not(app:curl)', 'ssh pipe unknown'],
    ['not curl', 'ssh pipe unknown'],
    ['NOT curl AND NOT node', 'ssh unknown'],
    ['!curl', 'ssh pipe unknown'],
    ['-curl', 'ssh pipe unknown'],
    ['not not curl', 'curl'],
    ['--curl', 'curl'],
    ['-(curl or node)', 'ssh unknown'],
    ['proto:tcp -app:curl', 'ssh'],
    // text
    ['app:UR', 'curl'],
    ['app=cur', ''],
    ['app=Curl', 'curl'],
    ['app = curl', 'curl'],
    ['app : curl', 'curl'],
    ['app: curl', 'curl'],
    ['app!=curl', 'ssh pipe unknown'],
    ['app:(sshd)', 'ssh'],
    ['app:"login (s"', 'ssh'],
    ['app:postgres', 'pipe'],
    ['app!=postgres', 'curl ssh unknown'],
    ['process:curl', 'curl'],
    ['exe:/usr/bin/curl', 'curl'],
    ['exe:/BIN/', 'curl'],
    ['exe~^/usr', 'curl'],
    ['app~^(curl|node)$', 'curl pipe'],
    ['(app~^(curl|node)$)', 'curl pipe'],
    ['app~"^c|^n"', 'curl pipe'],
    ['user:anna', 'curl'],
    ['user!=anna', 'ssh pipe unknown'],
    ['host:example.com', 'curl'],
    ['host:2001', 'ssh'],
    ['sni:example', 'curl'],
    ['service:https', 'curl'],
    ['state:est', 'curl'],
    ['STATE=Established', 'curl'],
    ['category=news', 'curl'],
    ['country:us', 'curl'],
    ['iface:en0', 'curl'],
    ['dir:out', 'curl'],
    ['dir=in', 'ssh'],
    ['direction:local', 'pipe'],
    ['attribution:listener', 'ssh'],
    ['attribution=EXACT', 'curl'],
    // addresses
    ['addr:192.168', 'curl'],
    ['addr=2001:0DB8:0::7', 'ssh'],
    ['addr:2001:0DB8:0::7', 'ssh'],
    ['src:192', 'curl'],
    ['dst:192', ''],
    ['dst:example', 'curl'],
    ['dst:93.184.0.0/16', 'curl'],
    ['net:192.168.0.0/16', 'curl'],
    ['net:93.184.216.34', 'curl'],
    ['net:10.0.0.0/8', ''],
    ['net:10.0.0.0/8,fe80::/10', 'ssh'],
    ['net:2001:db8::/33', 'ssh'],
    ['net:2001:db8:8000::/33', ''],
    ['net:0.0.0.0/0', 'curl'],
    ['net:::/0', 'ssh'],
    ['net!=0.0.0.0/0', 'ssh pipe unknown'],
    // names
    ['domain:example', 'curl'],
    ['domain=EXAMPLE.com', 'curl'],
    ['domain=www.example.com', ''],
    ['domain!=example.com', 'ssh pipe unknown'],
    ['name_source:tls', 'curl'],
    ['name-source=none', 'ssh'],
    // words that mean something, and the same as text
    ['in', 'ssh'],
    ['IN', 'ssh'],
    ['out', 'curl'],
    ['local', 'pipe'],
    ['transit', ''],
    ['new', 'curl'],
    ['-new', 'ssh pipe unknown'],
    ['closed', 'ssh'],
    ['not closed tcp', ''],
    ['proto:tcp (in or new)', 'curl ssh'],
    ['"in"', 'ssh'],
    ['"new"', 'curl'],
    ['"out"', ''],
    ['news', 'curl'],
    ['inn', ''],
    ['app:in', 'ssh'],
    // numbers
    ['retransmits:3', 'curl'],
    ['retransmits>0', 'curl'],
    ['retransmits=0', 'ssh'],
    ['port:443', 'curl'],
    ['port:22,80,400-500', 'curl ssh'],
    ['port:https', 'curl'],
    ['port:"22, 443"', 'curl ssh'],
    ['sport:22', 'ssh'],
    ['dport:22', ''],
    ['dport=443', 'curl'],
    ['port!=443', 'ssh pipe unknown'],
    ['dport>1024', 'ssh'],
    ['pid:4711', 'curl'],
    ['pid:8', 'pipe'],
    ['pid>10', 'curl ssh'],
    ['asn:AS15133', 'curl'],
    ['rx>1M', 'curl'],
    ['rx>2M', ''],
    ['rx>=2MB', 'curl'],
    ['rx<1.91Mi', 'curl'],
    ['rx > 1Mi', 'curl'],
    ['tx=1Ki', 'curl'],
    ['tx:1024', 'curl'],
    ['tx!=1Ki', 'ssh pipe unknown'],
    ['bytes>2001023', 'curl'],
    ['rate=1024', 'curl'],
    ['rate>8Kb/s', 'curl'],
    ['rxrate>=1K', 'curl'],
    ['txrate<25', 'curl'],
    ['packets=2K', 'curl'],
    ['age>1m', 'curl'],
    ['age>1m30s', ''],
    ['age>=1m30s', 'curl'],
    ['idle<=5', 'curl'],
    ['rtt<50', 'curl'],
    ['rtt>0.04s', 'curl'],
  ])('%s', (text, names) => expect(passing(text)).toBe(names));
});

describe('what is refused, and where', () => {
  test.each([
    ['ap:curl', 0, "unknown field 'ap' - did you mean app?"],
    ['curl prto:tcp', 5, "unknown field 'prto' - did you mean proto?"],
    ['localhost:80', 0, "unknown field 'localhost' - put the text in quotes to search for it"],
    ['10.0.0.1>5', 0, "'10.0.0.1' is not a field"],
    ['app:', 3, 'app: needs a value'],
    ['app:curl and', 12, 'something is missing at the end'],
    ['app >', 4, 'app> needs a value'],
    ['(app: )', 4, 'app: needs a value'],
    ['or curl', 0, 'something is missing before this'],
    ['curl or or node', 8, 'something is missing before this'],
    ['(curl', 0, "this '(' is never closed"],
    ['curl)', 4, "this ')' closes nothing"],
    ['()', 0, 'these brackets are empty'],
    ['curl "node', 5, 'this quote is never closed'],
    ['""', 0, 'there is nothing between these quotes'],
    ['=curl', 0, "a field is missing before '='"],
    ['curl | node', 5, 'write or in full, or double the sign'],
    ['/usr/bin/curl', 0, 'a regular expression is /text/; put a path in quotes'],
    ['/a(b/', 4, 'missing closing )'],
    ['name_source:dnz', 12, 'name_source is none, ptr, mdns, dns, http, quic, tls or inner'],
    ['app~a(?=b)', 5, 'looking ahead or behind is not supported'],
    ['app~(a)\\1', 7, 'backreferences are not supported'],
    ['app>curl', 3, "app has no use for '>': it takes : = != or ~"],
    ['port~80', 4, "port has no use for '~': it takes : = != < <= > or >="],
    ['port:/80/', 4, 'port has no use for a regular expression: it takes : = != < <= > or >='],
    ['port:99999', 5, "'99999' is not a port: the highest is 65535"],
    ['port:90-80', 5, "'90-80' runs backwards"],
    ['port:80,', 5, "'80,' has a comma too many"],
    ['port>80,90', 5, 'port> takes one number'],
    ['port:htps', 5, "'htps' is not a port: write 443, 80,443 or 8000-8100"],
    ['pid:x', 4, "'x' is not a number"],
    ['net:10.0.0.0/33', 4, "'10.0.0.0/33' is not a network: /32 is the longest"],
    ['net:ten', 4, "'ten' is not a network: write 10.0.0.0/8 or fd00::/8"],
    ['net>10.0.0.0/8', 3, "net has no use for '>': it takes : = or !="],
    ['rx>many', 3, "'many' is not a size: write 1500, 1.5M (1000) or 2Mi (1024)"],
    ['age>soon', 4, "'soon' is not a duration: write 500ms, 10s, 5m or 1h30m"],
    ['dir:sideways', 4, 'dir is outbound, inbound, local or transit'],
    ['dir=bound', 4, 'dir is outbound, inbound, local or transit'],
    [`${'('.repeat(60)}a`, 50, 'this is nested too deeply'],
    [`${'!'.repeat(60)}a`, 50, 'this is nested too deeply'],
    ['x'.repeat(2001), 2000, 'a filter has at most 2000 characters'],
  ])('%s', (text, column, message) => expect(compileFilter(text)).toEqual({ ok: false, column, message }));
});

test('the columns count UTF-16 units', () => {
  expect(compileFilter('"\u{1f600}" ap:x')).toMatchObject({ ok: false, column: 5 });
});

test('without a time, age and idle are unknown', () => {
  const result = compileFilter('age>1s or idle<1h');
  expect(result.ok && result.filter.matches(curl)).toBe(false);
  expect(result.ok && result.filter.matches(curl, NOW)).toBe(true);
});

test('a flow of a snapshot is a subject as it is', () => {
  const row: Pick<FlowRow, 'app' | 'local' | 'remote' | 'protocol' | 'rxBytes' | 'txBytes' | 'attribution'> = {
    app: 'curl',
    local: { address: '10.0.0.2', port: 50_000 },
    remote: { address: '10.0.0.1', port: 53 },
    protocol: 'udp',
    rxBytes: 100,
    txBytes: 60,
    attribution: 'exact',
  };
  const accepts = (subject: FlowRow): FilterSubject => subject;
  expect(accepts).toBeTypeOf('function');
  const result = compileFilter('net:10.0.0.0/8 port:dns bytes=160');
  expect(result.ok && result.filter.matches(row)).toBe(true);
});

test('the empty filter says that it matches all', () => {
  expect(compileFilter(' ')).toMatchObject({ ok: true, filter: { matchesAll: true, text: ' ' } });
  expect(compileFilter('a')).toMatchObject({ ok: true, filter: { matchesAll: false } });
});

test('says what its answer depends on', () => {
  const of = (text: string) => {
    const result = compileFilter(text);
    return result.ok ? [result.filter.isVolatile, result.filter.namesInterface] : null;
  };
  expect(['app:curl', 'port:1 or not (age>5s)', 'user:ann and x', 'rate>1M'].map(of)).toEqual([
    [false, false],
    [true, false],
    [true, false],
    [true, false],
  ]);
  expect(
    ['iface:br0 and x', 'iface:a or interface=b', 'iface:a or x', 'not iface:a', 'iface!=a'].map((text) => of(text)?.[1]),
  ).toEqual([true, true, false, false, false]);

  const asks = (text: string) => {
    const result = compileFilter(text);
    return result.ok ? [result.filter.asksNew, result.filter.asksClosed, result.filter.isVolatile] : null;
  };
  expect(['new', 'app:x or -new', '"new"', 'app:new'].map((text) => asks(text)?.[0])).toEqual([true, true, false, false]);
  expect(asks('new')?.[2]).toBe(true);
  expect(
    ['closed', 'x state:closed', 'state=Reset', '"closed"', 'state!=closed', 'state:est'].map((text) => asks(text)?.[1]),
  ).toEqual([true, true, true, false, false, false]);
});

test.each(FIELDS.flatMap(({ name, aliases, kind }) => [name, ...aliases].map((spelling) => [spelling, kind] as const)))(
  'the field %s can be written, and offered',
  (name, kind) => {
    const values = {
      text: 'e',
      address: '10.0.0.1',
      net: '10.0.0.0/8',
      port: '1',
      number: '1',
      size: '1',
      seconds: '1',
      milliseconds: '1',
    };
    const made = compileFilter(`${name}:${values[kind]}`);
    if (!made.ok) expect(made.message).not.toMatch(/field/);
  },
);

test('fingerprints are compared like any text', () => {
  const talk: FilterSubject = { ja4: 't13d1516h2_8daaf6152771_e5627efa2ab1', ja4s: 't130200_1301_234ea6891581' };
  const passes = (text: string) => {
    const made = compileFilter(text);
    if (!made.ok) throw new Error(made.message);
    return made.filter.matches(talk, NOW);
  };
  const asked = [
    'ja4:t13d',
    'ja4=t13d1516h2_8daaf6152771_e5627efa2ab1',
    'ja4~^t1[23]',
    'ja4s:_1301_',
    'ja4:_e5627efa2ab1 -ja4s:q13',
  ];
  expect(asked.filter(passes)).toEqual(asked);
  expect(['ja4=t13d', 'ja4:q13', 'ja4s=t13'].filter(passes)).toEqual([]);
});
