// Encrypted DNS by app and resolver: connections and bytes, whenever owner and name become known.

import { expect, test } from 'vitest';
import { EncryptedDns } from '../../../src/aggregate/dns/encrypted.ts';
import { NO_OWNER } from '../../../src/model/terms.ts';
import { Naming } from '../../support/naming.ts';

const HELLO = { dport: 443, dst: '104.16.248.249' };

function run() {
  const naming = new Naming();
  const encrypted = new EncryptedDns({ flows: naming.flows, directory: naming.directory, facts: naming.names });
  const rows = () => {
    for (const row of naming.flows.touched.subarray(0, naming.flows.touchedCount)) encrypted.flowMoved(row);
    return encrypted
      .rows()
      .map(({ app, reason, host, transport, connections }) => [app ?? `(${reason})`, host, transport, connections]);
  };
  return { naming, encrypted, rows };
}

test('is told by TLS and QUIC of its own, and over HTTPS by the name of a known resolver', () => {
  const { naming, rows } = run();
  const tls = naming.open({ sport: 40_001, dport: 853, dst: '9.9.9.9' }, 'stubby');
  naming.names.application(tls, 'dot');
  const quic = naming.open({ sport: 40_002, dport: 853, dst: '94.140.14.14', protocol: 17 }, 'stubby');
  naming.names.application(quic, 'doq');
  const https = naming.open({ sport: 40_003, ...HELLO }, 'firefox');
  naming.names.serverName(https, 'tls', 'mozilla.cloudflare-dns.com', false);
  const web = naming.open({ sport: 40_004, ...HELLO }, 'firefox');
  naming.names.serverName(web, 'tls', 'www.example.com', false);
  expect(rows().sort()).toEqual([
    ['firefox', 'mozilla.cloudflare-dns.com', 'https', 1],
    ['stubby', '9.9.9.9', 'tls', 1],
    ['stubby', '94.140.14.14', 'quic', 1],
  ]);
});

test('is taken as what was counted since the last time, also when an app becomes known late', () => {
  const { naming, encrypted, rows } = run();
  const taken = () => {
    rows();
    return encrypted.take().map(({ app, connections, rxBytes, txBytes }) => [app, connections, rxBytes + txBytes]);
  };
  const row = naming.open({ sport: 40_003, ...HELLO });
  naming.names.serverName(row, 'tls', 'dns.google', false);
  const first = naming.flows.rxBytes(row) + naming.flows.txBytes(row);
  expect(taken()).toEqual([[null, 1, first]]);
  expect(taken()).toEqual([]);
  naming.own(row, 'chrome');
  naming.send({ sport: 40_003, ...HELLO });
  const second = naming.flows.rxBytes(row) + naming.flows.txBytes(row);
  expect(second).toBeGreaterThan(first);
  expect(taken()).toEqual([
    [null, -1, -first],
    ['chrome', 1, second],
  ]);
  naming.send({ sport: 40_003, ...HELLO });
  expect(taken()).toEqual([['chrome', 0, expect.any(Number)]]);
});

test('moves to its app when that becomes known, with all its bytes, and stays when the connection leaves', () => {
  const { naming, encrypted, rows } = run();
  const row = naming.open({ sport: 40_003, ...HELLO });
  naming.names.serverName(row, 'tls', 'dns.google', false);
  expect(rows()).toMatchObject([[expect.stringMatching(/^\(/), 'dns.google', 'https', 1]]);
  expect(naming.flows.owner(row)).toBe(NO_OWNER);
  naming.own(row, 'chrome');
  naming.send({ sport: 40_003, ...HELLO });
  expect(rows()).toEqual([['chrome', 'dns.google', 'https', 1]]);
  const bytes = naming.flows.rxBytes(row) + naming.flows.txBytes(row);
  encrypted.flowLeaves(row);
  const [one] = encrypted.rows();
  expect((one?.rxBytes ?? 0) + (one?.txBytes ?? 0)).toBe(bytes);
  expect(encrypted.rows()).toHaveLength(1);
});
