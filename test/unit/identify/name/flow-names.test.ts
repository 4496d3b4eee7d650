import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { Categories } from '../../../../src/identify/category/categories.ts';
import { NameStrings } from '../../../../src/identify/name/name-strings.ts';
import type { AnswerKind } from '../../../../src/inspect/context.ts';
import { NAME_SOURCES } from '../../../../src/model/terms.ts';
import { Naming, type NamingSetup, T0 } from '../../../support/naming.ts';

const WEB = '203.0.113.9';

describe('the name of a flow', () => {
  test.each(['tls', 'quic', 'http'] as const)('is what it said itself, by %s, over the answer for its address', (source) => {
    const m = new Naming();
    m.answer('cdn.example', WEB);
    const row = m.open({ dst: WEB });
    expect(m.told(row)).toBe('cdn.example dns');
    m.names.serverName(row, source, 'www.example.com', false);
    expect(m.told(row)).toBe(`www.example.com ${source}`);
    m.answer('late.example', WEB);
    m.pointer('ptr.example', WEB);
    expect(m.told(row)).toBe(`www.example.com ${source}`);
  });

  it('is the first one within a rank', () => {
    const m = new Naming();
    const row = m.open({ dst: WEB });
    m.names.serverName(row, 'http', 'first.example', false);
    m.names.serverName(row, 'tls', 'second.example', false);
    m.names.serverName(row, 'http', 'third.example', false);
    expect(m.told(row)).toBe('first.example http');
    const waiting = m.open({ dst: '203.0.113.10' });
    m.answer('one.example', '203.0.113.10');
    m.answer('two.example', '203.0.113.10');
    expect(m.told(waiting)).toBe('one.example dns');
  });

  it('rises from reverse look-up to announcement to answer to the flow itself, and never falls', () => {
    const m = new Naming();
    const row = m.open({ dst: '10.0.0.7' });
    const told = [m.told(row)];
    m.pointer('ptr.lan', '10.0.0.7');
    told.push(m.told(row));
    m.answer('printer.local', '10.0.0.7', { kind: 'mdns' });
    told.push(m.told(row));
    m.answer('printer.lan', '10.0.0.7');
    told.push(m.told(row));
    m.answer('again.local', '10.0.0.7', { kind: 'mdns' });
    m.pointer('again.lan', '10.0.0.7');
    told.push(m.told(row));
    m.names.serverName(row, 'http', 'print.example', false);
    told.push(m.told(row));
    expect(told).toEqual([
      '(private address, nothing announced a name)',
      'ptr.lan ptr',
      'printer.local mdns',
      'printer.lan dns',
      'printer.lan dns',
      'print.example http',
    ]);
  });

  it('prefers an answer to the same app, then to another app, then to a resolver', () => {
    const m = new Naming();
    const asking = m.open({ dst: '10.0.0.53', dport: 53, protocol: 17 }, 'curl');
    const other = m.open({ dst: '10.0.0.53', dport: 53, protocol: 17, sport: 40_001 }, 'wget');
    const resolver = m.open({ dst: '10.0.0.53', dport: 53, protocol: 17, sport: 40_002 }, 'systemd-resolved');
    m.answer('curls.example', WEB, { flow: asking });
    m.time += 100;
    m.answer('wgets.example', WEB, { flow: other });
    m.time += 100;
    m.answer('anybodys.example', WEB, { flow: resolver });
    m.time += 100;
    const open = (sport: number, process: number) => {
      const row = m.send({ dst: WEB, sport });
      m.flows.own(row, process, 'exact');
      m.admit();
      return m.told(row);
    };
    expect(open(50_000, 0)).toBe('curls.example dns');
    expect(open(50_001, 1)).toBe('wgets.example dns');
    expect(open(50_002, 2)).toBe('anybodys.example dns');
    expect(open(50_003, -1)).toBe('anybodys.example dns');
  });

  it('doesn’t come from an expired answer', () => {
    const m = new Naming();
    m.answer('old.example', WEB, { ttl: 5 });
    m.time += 59_999;
    expect(m.told(m.open({ dst: WEB, sport: 1 }))).toBe('old.example dns');
    m.time += 1000;
    expect(m.told(m.open({ dst: WEB, sport: 2 }))).toBe('(no answer for this address was seen)');
  });

  it('is the newest answer when the flow began, even if later ones came in the same batch', () => {
    const m = new Naming();
    m.answer('before.example', WEB);
    m.time += 10;
    const row = m.send({ dst: WEB });
    m.time += 10;
    m.answer('after.example', WEB);
    m.admit();
    expect(m.told(row)).toBe('before.example dns');
  });

  it('may come from an answer in the batch in which the flow began, or within ten seconds', () => {
    const m = new Naming();
    const row = m.send({ dst: WEB });
    m.time += 5;
    m.answer('same-batch.example', WEB);
    m.admit();
    expect(m.told(row)).toBe('same-batch.example dns');

    const late = m.open({ dst: '203.0.113.10' });
    m.time += 10_000;
    m.answer('late.example', '203.0.113.10');
    expect(m.told(late)).toBe('late.example dns');

    const tooLate = m.open({ dst: '203.0.113.11' });
    m.time += 10_001;
    m.answer('too-late.example', '203.0.113.11');
    expect(m.told(tooLate)).toBe('(no answer for this address was seen)');
  });

  it('survives a repeated answer in the same batch', () => {
    const m = new Naming();
    m.answer('kept.example', WEB);
    m.time += 10;
    const row = m.send({ dst: WEB });
    m.time += 10;
    m.answer('kept.example', WEB);
    m.admit();
    expect(m.told(row)).toBe('kept.example dns');
  });

  it('marks the row as changed, so that its totals move to the name', () => {
    const m = new Naming();
    const row = m.open({ dst: WEB });
    m.flows.beginTick();
    m.answer('late.example', WEB);
    expect(Array.from(m.flows.touched.subarray(0, m.flows.touchedCount))).toEqual([row]);
  });

  it('belongs to the flow, not to its row', () => {
    const m = new Naming();
    const row = m.open({ dst: WEB });
    m.names.serverName(row, 'tls', 'www.example.com', false);
    m.names.application(row, 'https');
    m.flows.remove(row);
    expect(m.open({ dst: '203.0.113.77', dport: 47_831 })).toBe(row);
    expect(m.told(row)).toBe('(no DNS seen since the start)');
    expect(m.names.applicationSource(row)).toBe('none');
    // The name of a flow that was removed while waiting doesn't go to the next flow in its row.
    m.flows.remove(row);
    m.open({ dst: '203.0.113.78', dport: 47_831 });
    m.answer('gone.example', '203.0.113.77');
    expect(m.told(row)).toBe('(no answer for this address was seen)');
  });

  it('is found for more flows than can wait at once, newest first', () => {
    const m = new Naming({ maxRows: 1024 });
    const rows = Array.from({ length: 600 }, (_, i) => m.open({ dst: WEB, sport: 1000 + i }));
    m.answer('late.example', WEB);
    const named = rows.filter((row) => m.names.nameOf(row) >= 0);
    expect(named).toEqual(rows.slice(-512));
  });
});

describe('answers that name nothing', () => {
  test.each([
    ['loopback', '127.0.0.1', 'www.example.com', 'dns'],
    ['loopback for a single label', '127.0.0.1', 'localhost', 'dns'],
    ['IPv6 loopback', '::1', 'www.example.com', 'dns'],
    ['unspecified, as blockers answer', '0.0.0.0', 'ads.example.com', 'dns'],
    ['multicast', '224.0.0.251', 'www.example.com', 'dns'],
    ['broadcast', '255.255.255.255', 'www.example.com', 'dns'],
    ['private for a public name', '10.0.0.7', 'www.example.com', 'dns'],
    ['link-local for a public name', '169.254.1.1', 'www.example.com', 'dns'],
    ['shared for a public name', '100.64.0.1', 'www.example.com', 'dns'],
    ['unique local for a public name', 'fd00::1', 'www.example.co.uk', 'dns'],
    ['global, announced on the local network', WEB, 'nas.local', 'mdns'],
    ['global by LLMNR', WEB, 'nas', 'llmnr'],
    ['global by NetBIOS', WEB, 'nas', 'netbios'],
  ] as const)('%s', (_, address, name, kind) => {
    const m = new Naming();
    m.answer(name, address, { kind });
    const row = m.open({ dst: address });
    expect(m.names.nameOf(row)).toBe(-1);
    m.answer(name, address, { kind });
    if (kind === 'dns') m.pointer(name, address);
    expect(m.names.nameOf(row)).toBe(-1);
  });

  test.each([
    ['10.0.0.7', 'nas.lan', 'dns', 'dns'],
    ['10.0.0.7', 'nas', 'dns', 'dns'],
    ['10.0.0.7', 'nas.home.arpa', 'dns', 'dns'],
    ['10.0.0.7', 'nas.local', 'mdns', 'mdns'],
    ['fe80::7', 'nas.local', 'mdns', 'mdns'],
    ['10.0.0.7', 'nas', 'netbios', 'mdns'],
    ['10.0.0.7', 'phone', 'dhcp', 'mdns'],
    [WEB, 'phone', 'dhcp', 'mdns'],
    [WEB, 'www.example.com', 'dns', 'dns'],
  ] as const)('but %s is %s by %s', (address, name, kind, source) => {
    const m = new Naming();
    m.answer(name, address, { kind });
    expect(m.told(m.open({ dst: address }))).toBe(`${name} ${source}`);
  });
});

describe('a flow opened from outside', () => {
  it('isn’t named after what the other end asked for, which is this machine', () => {
    const m = new Naming();
    const row = m.receive({ dst: WEB, sport: 443, dport: 50_000, flags: 'S' });
    m.admit();
    m.names.serverName(row, 'tls', 'our.example.com', false);
    expect(m.told(row)).toBe('(the other end opened it, and named this machine)');
    m.answer('client.example', WEB);
    expect(m.told(row)).toBe('client.example dns');
  });

  it('is in the category of the service that it reached', () => {
    const m = new Naming();
    const row = m.receive({ dst: WEB, sport: 22, dport: 443, flags: 'S' });
    m.admit();
    expect([m.names.applicationOf(row), m.names.applicationSource(row)]).toEqual(['ssh', 'port']);
  });
});

describe('the reason why there is no name', () => {
  const reason = (m: Naming, dst = WEB) => m.told(m.open({ dst }));

  it('is the address if it belongs to the local network', () => {
    expect(reason(new Naming(), '10.0.0.7')).toBe('(private address, nothing announced a name)');
    expect(reason(new Naming(), '127.0.0.2')).toBe('(loopback address, nothing announced a name)');
    expect(reason(new Naming(), '224.0.0.1')).toBe('(multicast address, nothing announced a name)');
  });

  it('is whether DNS was seen', () => {
    expect(reason(new Naming())).toBe('(no DNS seen since the start)');
    const seen = new Naming();
    seen.answer('other.example', '203.0.113.1');
    expect(reason(seen)).toBe('(no answer for this address was seen)');
    const asked = new Naming();
    asked.names.application(asked.open({ dport: 53 }), 'dns');
    expect(reason(asked)).toBe('(no answer for this address was seen)');
  });

  test.each(['dot', 'doq', 'doh'])('is encrypted DNS where %s was seen', (application) => {
    const m = new Naming();
    m.names.application(m.open(), application);
    expect(reason(m)).toBe('(encrypted DNS seen)');
  });

  test.each([
    'dns.google',
    'cloudflare-dns.com',
    'mozilla.cloudflare-dns.com',
    'one.one.one.one',
    'dns9.quad9.net',
    'abc.dns.nextdns.io',
  ])('is encrypted DNS where %s was spoken to', (name) => {
    const m = new Naming();
    m.names.serverName(m.open({ dst: '203.0.113.1' }), 'tls', name, false);
    expect(reason(m)).toBe('(encrypted DNS seen)');
  });

  test.each([
    ['cloudflare-ech.com', true],
    ['public.tls-ech.dev', true],
    ['www.example.com', false],
    ['cloudflare-ech.com.example.org', false],
  ])('is the encrypted hello behind %s: %s', (name, hides) => {
    const m = new Naming();
    const row = m.open({ dst: WEB });
    m.names.serverName(row, 'tls', name, true);
    expect(m.told(row)).toBe(hides ? '(encrypted hello (ECH))' : `${name} tls`);
    // Without the extension the front is a host like any other.
    const plain = m.open({ dst: WEB, sport: 50_002 });
    m.names.serverName(plain, 'tls', name, false);
    expect(m.told(plain)).toBe(`${name} tls`);
  });

  it('doesn’t hide what an answer said about a flow with an encrypted hello', () => {
    const m = new Naming();
    m.answer('hidden.example', WEB);
    const row = m.open({ dst: WEB });
    m.names.serverName(row, 'quic', 'cloudflare-ech.com', true);
    expect(m.told(row)).toBe('hidden.example dns');
  });

  it('is the limit of names if that is the reason', () => {
    const m = new Naming({ names: new NameStrings(1) });
    m.names.serverName(m.open({ sport: 50_001 }), 'tls', 'first.example', false);
    const row = m.open({ sport: 50_002 });
    m.names.serverName(row, 'tls', 'second.example', false);
    expect(m.told(row)).toBe('(more names than are kept)');
    expect(m.told(m.open({ sport: 50_003, dst: WEB }))).toBe('(no DNS seen since the start)');
  });

  it('isn’t that limit because of answers that no flow ever used', () => {
    const m = new Naming({ names: new NameStrings(1) });
    for (let i = 0; i < 1000; i++) m.answer(`h${i}.example`, `198.51.${i >> 8}.${i & 255}`);
    m.answer('used.example', WEB);
    expect(m.told(m.open({ dst: WEB }))).toBe('used.example dns');
  });
});

describe('the application', () => {
  it('comes from the content, or else from the port', () => {
    const m = new Naming();
    const row = m.open({ dport: 443 });
    const told = () => [m.names.applicationOf(row), m.names.applicationSource(row)];
    expect(told()).toEqual(['https', 'port']);
    m.names.application(row, 'ssh');
    expect(told()).toEqual(['ssh', 'content']);
    const unknown = m.open({ dport: 47_831, sport: 47_832 });
    expect([m.names.applicationOf(unknown), m.names.applicationSource(unknown)]).toEqual([null, 'none']);
  });
});

describe('the category', () => {
  const setup: NamingSetup = { categories: new Categories({ Builds: ['make'], Work: ['corp.example'] }) };

  it('is decided again when the name, the application or the owner becomes known', () => {
    const m = new Naming(setup);
    const row = m.open({ dst: WEB, dport: 443 });
    const told = [m.category(row)];
    m.names.application(row, 'ssh');
    told.push(m.category(row));
    m.own(row, 'make');
    told.push(m.category(row));
    m.names.serverName(row, 'tls', 'git.corp.example', false);
    told.push(m.category(row));
    expect(new Set(told).size).toBe(4);
    expect(told.slice(2)).toEqual(['Builds', 'Work']);
  });

  it('follows a process that turns out to be another app', () => {
    const m = new Naming(setup);
    const row = m.open({ dst: WEB, dport: 47_831 });
    const process = m.own(row, 'something');
    const before = m.category(row);
    const other = m.directory.process(m.directory.add('make'))?.app ?? -1;
    m.directory.move(process, other);
    expect([before === 'Builds', m.category(row)]).toEqual([false, 'Builds']);
  });

  it('is right even with as many categories as a configuration may hold', () => {
    const many = Object.fromEntries(Array.from({ length: 256 }, (_, i) => [`Own ${i}`, [`own${i}.example`]]));
    const m = new Naming({ categories: new Categories(many) });
    for (const i of [0, 200, 237, 240, 255]) {
      const row = m.open({ dst: WEB, sport: 1000 + i });
      m.names.serverName(row, 'tls', `www.own${i}.example`, false);
      expect(m.category(row)).toBe(`Own ${i}`);
      expect(m.category(row)).toBe(`Own ${i}`);
    }
  });

  it('is empty if flows aren’t categorised', () => {
    const m = new Naming({ categories: null });
    const row = m.open();
    expect([m.names.categoryOf(row), m.category(row)]).toEqual([-1, null]);
  });
});

describe('flows without a name', () => {
  it('are reported once, unless an answer named them', () => {
    const m = new Naming();
    const told: number[] = [];
    m.onNameless = (row) => told.push(row);
    m.answer('known.example', WEB);
    const known = m.open({ dst: WEB });
    const unknown = m.open({ dst: '203.0.113.1' });
    m.send({ dst: '203.0.113.1' });
    m.admit();
    expect([told, told.includes(known)]).toEqual([[unknown], false]);
    m.names.reversed(unknown, 'host.isp.example');
    expect(m.told(unknown)).toBe('host.isp.example ptr');
    m.names.reversed(known, 'host.isp.example');
    expect(m.told(known)).toBe('known.example dns');
  });
});

describe('random facts in random order', () => {
  const hosts = fc.constantFrom('192.0.2.1', '192.0.2.2', '10.0.0.9', '127.0.0.1', '2001:db8::9', 'ff02::fb');
  const name = fc.constantFrom('a.example.com', 'b.example.com', 'nas.lan', 'localhost', 'cloudflare-ech.com', 'dns.google');
  const kinds: AnswerKind[] = ['dns', 'mdns', 'llmnr', 'netbios', 'dhcp'];
  const step = fc.oneof(
    fc.record({ do: fc.constant('packet' as const), dst: hosts, sport: fc.integer({ min: 1, max: 3 }), in: fc.boolean() }),
    fc.record({
      do: fc.constant('answer' as const),
      name,
      address: hosts,
      kind: fc.constantFrom(...kinds),
      ttl: fc.nat(100_000),
    }),
    fc.record({ do: fc.constant('pointer' as const), name, address: hosts }),
    fc.record({
      do: fc.constant('server' as const),
      which: fc.nat(),
      name,
      source: fc.constantFrom('tls' as const, 'quic' as const, 'http' as const),
      ech: fc.boolean(),
    }),
    fc.record({ do: fc.constant('own' as const), which: fc.nat() }),
    fc.record({ do: fc.constant('remove' as const), which: fc.nat() }),
    fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 9000, 61_000) }),
    fc.record({ do: fc.constant('admit' as const) }),
  );

  it('names keep their source and only rise, missing names keep their reason, and nothing throws', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), fc.constantFrom(1, 2, 65_536), (steps, bound) => {
        const m = new Naming({ maxRows: 4, names: new NameStrings(bound) });
        const best = new Map<number, number>();
        const rows = () => Array.from({ length: m.flows.rows }, (_, row) => row).filter((row) => m.flows.isLive(row));
        const pick = (which: number) => rows()[which % Math.max(1, rows().length)];
        for (const each of steps) {
          if (each.do === 'packet') (each.in ? m.receive : m.send).call(m, { dst: each.dst, sport: each.sport, protocol: 17 });
          else if (each.do === 'answer') m.answer(each.name, each.address, { kind: each.kind, ttl: each.ttl });
          else if (each.do === 'pointer') m.pointer(each.name, each.address);
          else if (each.do === 'wait') m.time += each.ms;
          else if (each.do === 'admit') m.admit();
          else {
            const row = pick(each.which);
            if (row === undefined) continue;
            if (each.do === 'server') m.names.serverName(row, each.source, each.name, each.ech);
            else if (each.do === 'own') m.own(row, 'curl');
            else m.flows.remove(row);
          }
          for (const row of rows()) {
            const serial = m.flows.serial(row);
            const source = m.names.nameSource(row);
            const isNamed = m.names.nameOf(row) >= 0;
            expect(isNamed).toBe(source !== 'none');
            expect(m.names.nameReason(row) === null).toBe(isNamed);
            if (isNamed) expect(m.names.nameText(m.names.nameOf(row))).not.toBe('');
            const rank = NAME_SOURCES.indexOf(source);
            expect(rank).toBeGreaterThanOrEqual(best.get(serial) ?? 0);
            best.set(serial, rank);
            expect(m.category(row)).not.toBeNull();
          }
        }
        expect(m.time).toBeGreaterThanOrEqual(T0);
      }),
      { numRuns: 300 },
    );
  });
});
