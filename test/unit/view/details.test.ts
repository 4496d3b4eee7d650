import { describe, expect, test } from 'vitest';
import type { ListenerRow } from '../../../src/model/listeners.ts';
import type { FlowRow } from '../../../src/model/snapshot.ts';
import { NO_LINEAGE, type Process, type Publisher } from '../../../src/model/terms.ts';
import { pictureOf } from '../../../src/view/derive.ts';
import { NOTHING_RELATED, rowFacts } from '../../../src/view/panels/details.ts';
import { relatedFacts } from '../../../src/view/panels/related.ts';
import { initialState } from '../../../src/view/state.ts';
import type { CellContext } from '../../../src/view/tables/column.ts';
import { HOSTS } from '../../../src/view/tables/hosts.ts';
import { NOTHING_RECENT } from '../../../src/view/tables/recently-seen.ts';
import { UNICODE_GLYPHS } from '../../../src/view/text/glyphs.ts';
import { appRow, flowRow, hostRow, NOON, snapshot, TLS_SPOKEN } from '../../support/snapshot-builder.ts';

const CONTEXT: CellContext = {
  glyphs: UNICODE_GLYPHS,
  units: 'bytes',
  average: 10,
  time: '10s',
  names: true,
  services: true,
  privacy: false,
  paths: false,
  open: new Set(),
  recentTotal: [],
  recentlySeen: NOTHING_RECENT,
  now: NOON,
  rate: 0,
  mainHost: () => null,
};

const fact = (row: Partial<FlowRow>): string | null | undefined =>
  rowFacts('connections', flowRow({ id: 'f', ...row }), CONTEXT).find(([name]) => name === 'on behalf of')?.[1];

describe('details of a connection: on behalf of', () => {
  const remote = { address: '192.0.2.53', port: 53 };

  test('names the app for which the owner acts', () => {
    expect(fact({ app: 'mDNSResponder', remote, onBehalfOf: 'Google Chrome' })).toBe('Google Chrome');
    expect(fact({ app: 'nsurlsessiond', onBehalfOf: 'App Store\u001b[31m' })).toBe('App Store[31m');
  });

  test('says that nobody told, for the resolver’s own questions only', () => {
    for (const port of [53, 443, 853])
      expect(fact({ app: 'mDNSResponder', remote: { ...remote, port } })).toBe("any app: this is the system's resolver");
    expect(fact({ app: 'mDNSResponder', remote: { ...remote, port: 5353 } })).toBeUndefined();
    expect(fact({ app: 'curl', remote })).toBeUndefined();
    expect(fact({ app: null, remote })).toBeUndefined();
  });
});

test('details of an app tell since when each process runs, where that is known', () => {
  const process = {
    exe: '/bin/sh',
    uid: 0,
    user: 'ann',
    parentPid: 4,
    script: null,
    unit: null,
    container: null,
    publisher: null,
    ...NO_LINEAGE,
    app: 0,
    name: 'sh',
  };
  const processes = [NOON - 60_000, Date.UTC(2025, 11, 24, 18, 5, 9), null].map((startedAt, i) => ({
    ...process,
    id: i,
    pid: 10 + i,
    startedAt,
  }));
  const row = appRow({ id: 'sh', processes, processCount: 3 });
  expect(rowFacts('apps', row, CONTEXT).filter(([name]) => name.startsWith('pid '))).toEqual([
    ['pid 12', '/bin/sh, child of pid 4', 'dim'],
    ['pid 11', '/bin/sh, child of pid 4, started 2025-12-24 18:05:09', 'dim'],
    ['pid 10', '/bin/sh, child of pid 4, started 14:02:22', 'dim'],
  ]);
});

describe('details of where a process comes from', () => {
  const at = (pid: number, name: string) => ({ pid, name, startedAt: null });
  const owner = {
    ...{
      id: 1,
      pid: 900,
      name: 'curl',
      exe: '/bin/curl',
      uid: 0,
      user: 'ann',
      parentPid: 700,
      startedAt: NOON,
      script: null,
      publisher: null,
      app: 0,
    },
    ...{
      unit: 'ci.service',
      container: null,
      command: 'curl https://example.com/x',
      session: 512,
      terminal: 'pts/3',
      origin: at(512, 'zsh'),
    },
    ancestors: [at(1, 'systemd'), at(512, 'zsh'), at(700, 'npm')],
  };
  const facts = (parts: Partial<Process> = {}, context = CONTEXT) =>
    Object.fromEntries(
      rowFacts('connections', flowRow({ id: 'f' }), context, { ...NOTHING_RELATED, owner: { ...owner, ...parts } }).map(
        ([name, value]) => [name, value],
      ),
    );

  test('name its parents, session, terminal, unit and beginning', () => {
    expect(facts()).toMatchObject({
      'command line': 'curl https://example.com/x',
      'child of': 'zsh 512 → npm 700',
      session: '512 on pts/3',
      unit: 'ci.service',
      began: '14:03:22',
    });
    expect(facts({ session: null })['session']).toBe('– on pts/3');
    expect(facts({ terminal: null })['session']).toBe('512');
  });

  test('name its container, image, pod and project, or say what would help', () => {
    const web = {
      ...{ engine: 'docker', id: '0123456789abcdef', container: 'web', image: 'nginx:1.25', pod: null, namespace: null },
      ...{ project: 'shop', unknown: null },
    };
    const told = facts({ container: web });
    expect(told).toMatchObject({ container: 'web (docker 0123456789ab)', image: 'nginx:1.25', project: 'shop' });
    expect(told).not.toHaveProperty('unit');
    expect(told).not.toHaveProperty('no name');
    expect(facts({ container: { ...web, pod: 'web-0', namespace: 'shop' } })).toMatchObject({ pod: 'shop/web-0' });
    const unknown = { ...web, container: '0123456789ab', image: null, project: null, unknown: "docker's files can't be read" };
    expect(facts({ container: unknown })).toMatchObject({
      container: 'docker 0123456789ab',
      'no name': "docker's files can't be read",
    });
    const row = appRow({ id: 'nginx', processes: [{ ...owner, container: web }], processCount: 1 });
    expect(rowFacts('apps', row, CONTEXT)).toContainEqual(['image', 'nginx:1.25']);
  });

  test('say who adopted it, and who is at the head of a long line', () => {
    expect(facts({ parentPid: 1 })['child of']).toBe('zsh 512 → npm 700, now of pid 1');
    const ancestors = [1, 2, 3, 4, 5, 6].map((i) => at(700 + i, 'sh'));
    expect(facts({ ancestors, parentPid: 706 })['child of']).toMatch(/^zsh 512 → … → sh 701 → .* → sh 706$/);
  });

  test('say who made its executable, whose word that is, and what it is good for', () => {
    const by = (parts: Partial<Publisher>) => {
      const whole = { kind: 'unknown', name: null, version: null, by: null, source: null, note: null, digest: null } as const;
      const told = rowFacts('connections', flowRow({ id: 'f' }), CONTEXT, {
        ...NOTHING_RELATED,
        owner: { ...owner, publisher: { ...whole, ...parts } },
      });
      return told.filter(([name]) => name === 'publisher' || name === 'SHA-256').map(([, value, role]) => `${value} [${role}]`);
    };
    expect(facts()).not.toHaveProperty('publisher');
    expect(by({ kind: 'signed', name: 'Google LLC', by: 'EQHXZ8M8AV', source: 'codesign' })).toEqual([
      'Google LLC (team EQHXZ8M8AV) [text]',
    ]);
    expect(by({ kind: 'apple', name: 'Apple', source: 'codesign' })).toEqual(['Apple [text]']);
    expect(
      by({ kind: 'package', name: 'curl', version: '8.5', by: 'Debian', source: 'dpkg', note: 'by its path alone' }),
    ).toEqual(['curl 8.5 (dpkg, Debian): by its path alone [text]']);
    expect(by({ kind: 'unpackaged', digest: 'ab'.repeat(32) })).toEqual([
      'not from a package [warn]',
      `${'ab'.repeat(32)} [dim]`,
    ]);
    expect(by({ kind: 'unsigned', source: 'codesign' })).toEqual(['unsigned [warn]']);
    expect(by({ kind: 'untrusted', note: 'it says X' })).toEqual([
      "signed by somebody for whom Apple doesn't vouch: it says X [warn]",
    ]);
    expect(by({ kind: 'unknown', note: 'in a container' })).toEqual(['unknown: in a container [dim]']);
  });

  test('say of a listener who made it, once it has moved something', () => {
    const publisher = {
      kind: 'unpackaged',
      name: null,
      version: null,
      by: null,
      source: null,
      note: null,
      digest: null,
    } as const;
    const listener: ListenerRow = {
      ...{ id: 'l', protocol: 'tcp', address: '*', port: 22, reach: 'everywhere', app: 'curl', exe: '/bin/curl', pid: 900 },
      ...{ user: 'ann', unit: null, container: null, startedAt: null, since: null, elsewhere: false },
      ...{ accepted: 0, lastFrom: null, lastAt: null },
    };
    const told = (process: Process) => {
      const shown = pictureOf(
        initialState({ columns: 80, rows: 24 }),
        snapshot({ apps: [appRow({ id: 'a', processes: [process] })] }),
      );
      const { owner } = relatedFacts('listeners', listener, shown, CONTEXT, 80);
      return rowFacts('listeners', listener, CONTEXT, { ...NOTHING_RELATED, owner }).find(([name]) => name === 'publisher')?.[1];
    };
    expect(told({ ...owner, publisher })).toBe('not from a package');
    expect(told({ ...owner, publisher, pid: 901 })).toBeUndefined();
    expect(told({ ...owner, publisher, exe: '/bin/other' })).toBeUndefined(); // its pid was used again
  });

  test('hide its command line in privacy mode, where arguments name hosts', () => {
    const hidden = facts({}, { ...CONTEXT, privacy: true });
    expect(hidden['command line']).not.toMatch(/curl|example/);
    expect(hidden['child of']).toBe('zsh 512 → npm 700');
  });
});

describe('devices of the local network', () => {
  const row = hostRow({ id: 'h', host: '192.168.1.9', mac: '90:09:d0:12:34:56', vendor: 'Synology' });
  const facts = (context: CellContext, host = row) =>
    rowFacts('hosts', host, context).flatMap(([name, value]) => (name === 'MAC' || name === 'vendor' ? [value] : []));
  const cell = (width: number, context: CellContext = CONTEXT, host = row) => {
    const made = HOSTS.columns[0]?.cell(host, context, width);
    return made === undefined ? [] : 'role' in made ? [made.text] : made.map(({ text }) => text);
  };

  test('are told with their vendor', () => {
    expect(facts(CONTEXT)).toEqual(['90:09:d0:12:34:56', 'Synology']);
    expect(facts(CONTEXT, { ...row, vendor: null })).toEqual(['90:09:d0:12:34:56', null]);
    expect(facts(CONTEXT, { ...row, mac: null, vendor: null })).toEqual([]);
  });

  test('keep the bytes that are theirs alone to themselves in privacy mode', () => {
    expect(facts({ ...CONTEXT, privacy: true })).toEqual(['90:09:d0:••:••:••', 'Synology']);
  });

  test('have their vendor behind the address, where there is room and no name', () => {
    expect(cell(26)).toEqual(['▸ ', '192.168.1.9 ', 'Synology    ']);
    expect(cell(22)).toEqual(['▸ ', '192.168.1.9 ', 'Synology']);
    expect(cell(21)).toEqual(['▸ ', '192.168.1.9        ']);
    expect(cell(22, CONTEXT, { ...row, host: 'nas.local', nameSource: 'mdns' })).toEqual(['▸ ', '~nas.local          ']);
    expect(cell(40, { ...CONTEXT, names: false })).toHaveLength(2);
    expect(cell(40, { ...CONTEXT, privacy: true }).join('')).not.toMatch(/192|\.9/);
  });
});

describe('details of a tunnel', () => {
  const inside = {
    protocol: 'tcp',
    source: { address: '172.16.0.1', port: 40_000 },
    destination: { address: '2001:db8::b', port: 443 },
    host: 'inner.example.com',
  };
  const facts = (row: Partial<FlowRow>, context = CONTEXT) =>
    rowFacts('connections', flowRow({ id: 'f', tunnel: 'vxlan', ...row }), context).filter(
      ([name]) => /carries|inside$/.test(name) && name !== 'inside',
    );

  test('tell the ends of a flow inside and the name that it asked for, and hide both where names are hidden', () => {
    expect(facts({ inside }).map(([name, value]) => [name, value])).toEqual([
      ['it carries', `tcp 172.16.0.1:40000 ${UNICODE_GLYPHS.outbound} [2001:db8::b]:443`],
      ['name inside', 'inner.example.com'],
    ]);
    expect(JSON.stringify(facts({ inside }, { ...CONTEXT, privacy: true }))).not.toMatch(/172|2001|inner/);
    expect(facts({ inside: { ...inside, host: null } }).map(([, value]) => value)[1]).toBeNull();
    expect(facts({ inside: null })).toEqual([]);
  });
});

describe('how a connection is spoken', () => {
  const tls = TLS_SPOKEN;
  const { offer, answer } = tls;
  const alike = (['curl', 'curl', null] as const).map((app, i) => flowRow({ id: `a${i}`, app }));
  const factsOf = (talk: FlowRow['talk'], context = CONTEXT) => {
    const facts = rowFacts('connections', flowRow({ id: 'f', talk, connectMs: 12.34 }), context, { ...NOTHING_RELATED, alike });
    const from = facts.findIndex(([name]) => name === 'TCP handshake');
    const to = facts.findIndex(([name]) => name === 'first seen');
    return facts.slice(from, to).map(([name, value]) => `${name}: ${value}`);
  };

  test('in TLS 1.3, which encrypts what was chosen', () => {
    expect(factsOf({ tls, http: null })).toEqual([
      'TCP handshake: 12ms',
      'TLS: TLS 1.3, TLS_AES_128_GCM_SHA256, resumed session',
      "TLS handshake: 31ms, server's hello after 15ms",
      'ALPN: offers h2, http/1.1; the choice is encrypted',
      'ECH: offered, or only imitated (GREASE); nobody can see whether it was taken',
      'JA4: t13d1516h2_8daaf6152771_e5627efa2ab1',
      ': also of 3 other connections: curl 2, no owner 1',
      'JA4S: t130200_1301_234ea6891581',
    ]);
  });

  test('in TLS 1.2, with a certificate, and an alert', () => {
    const chosen = { ...answer, version: 0x0303, cipher: 0xc02b, protocol: 'h2', resumed: false, retried: true };
    const names = ['www.example.com', '*.example\u001b[31m.org'];
    const alert = { code: 48, fromOpener: true };
    const talk = {
      tls: { ...tls, offer: { ...offer, ech: false, ja4: null }, answer: chosen, names, namesAreCut: true, alert },
      http: null,
    };
    expect(factsOf(talk)).toEqual([
      'TCP handshake: 12ms',
      'TLS: TLS 1.2, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, asked for a second hello',
      "TLS handshake: 31ms, server's hello after 15ms",
      'ALPN: h2, of h2, http/1.1',
      'certificate: www.example.com  *.example[31m.org ...',
      'alert: unknown CA, sent by the end that opened it',
      'JA4S: t130200_1301_234ea6891581',
    ]);
    expect(factsOf(talk, { ...CONTEXT, privacy: true }).join()).not.toContain('example');
  });

  test('without an answer, or with numbers that have no name', () => {
    const silent = { ...tls, answer: null, answerMs: null, handshakeMs: null };
    expect(factsOf({ tls: silent, http: null }).slice(1, 3)).toEqual([
      'TLS: TLS 1.3 offered, no answer seen',
      'ALPN: offers h2, http/1.1',
    ]);
    const odd = {
      ...tls,
      offer: null,
      answer: { ...answer, version: 0x0399, cipher: 0x4a4a, resumed: false },
      alert: { code: 250, fromOpener: false },
    };
    expect(factsOf({ tls: odd, http: null }).slice(1)).toEqual([
      'TLS: TLS version 0x0399, cipher 0x4a4a',
      "TLS handshake: 31ms, server's hello after 15ms",
      'alert: alert 250, sent by the end that was called',
      'JA4S: t130200_1301_234ea6891581',
    ]);
  });

  test('in HTTP, its path only when asked for, and never in privacy', () => {
    const http = { method: 'GET', segment: 'account', status: 404, answerMs: 25 };
    const line = (context: CellContext, more = {}) => factsOf({ tls: null, http: { ...http, ...more } }, context)[1];
    expect(line(CONTEXT)).toBe('HTTP: GET /..., 404 after 25ms');
    expect(line({ ...CONTEXT, paths: true })).toBe('HTTP: GET /account, 404 after 25ms');
    expect(line({ ...CONTEXT, paths: true, privacy: true })).not.toContain('account');
    expect(line(CONTEXT, { segment: null, status: null, answerMs: null })).toBe('HTTP: GET /, no answer seen');
  });
});
