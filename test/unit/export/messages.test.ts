// Requests of remote write and OTLP, byte for byte as protoc 3.21 writes them from the same content by prometheus/prompb/*.proto and
// opentelemetry/proto/*.proto.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { otlpLogs, otlpMetrics } from '../../../src/export/otlp.ts';
import { ProtobufWriter } from '../../../src/export/protobuf.ts';
import { remoteWrite } from '../../../src/export/remote-write.ts';
import { snappy } from '../../../src/export/snappy.ts';
import type { Alert } from '../../../src/model/alert.ts';
import type { LoggedFlow } from '../../../src/model/history-batch.ts';
import type { MetricSample } from '../../../src/model/metrics.ts';
import { unsnappy } from '../../support/unsnappy.ts';

const REMOTE_WRITE = [
  'CmwKIgoIX19uYW1lX18SFm5ldG1vbl9hcHBfYnl0ZXNfdG90YWwKEAoDYXBwEgljdXJsICLDvCIKFAoJZGlyZWN0aW9uEgdyZWNlaXZlCgwKBGhvc3QSBGFi',
  'MTISEAn///////8/QxDAiJj/vDEKVQomCghfX25hbWVfXxIabmV0bW9uX2FwcF9ydHRfc2Vjb25kc19zdW0KCwoDYXBwEgRjdXJsCgwKBGhvc3QSBGFiMTIS',
  'EAkAAAAAAADAPxDAiJj/vDEKVwooCghfX25hbWVfXxIcbmV0bW9uX2FwcF9ydHRfc2Vjb25kc19jb3VudAoLCgNhcHASBGN1cmwKDAoEaG9zdBIEYWIxMhIQ',
  'CQAAAAAAAAhAEMCImP+8MQpACh4KCF9fbmFtZV9fEhJuZXRtb25fY29ubmVjdGlvbnMKDAoEaG9zdBIEYWIxMhIQCQAAAAAAABxAEKDdm/+8MRo7CAESFm5l',
  'dG1vbl9hcHBfYnl0ZXNfdG90YWwiGEJ5dGVzIHRoYXQgYW4gYXBwIG1vdmVkLioFYnl0ZXMabggFEhZuZXRtb25fYXBwX3J0dF9zZWNvbmRzIklUQ1Agcm91',
  'bmQgdHJpcHM6IGhvdyBtYW55IHdlcmUgbWVhc3VyZWQsIGFuZCBob3cgbG9uZyB0aGV5IHRvb2sgdG9nZXRoZXIuKgdzZWNvbmRzGjIIAhISbmV0bW9uX2Nv',
  'bm5lY3Rpb25zIhpDb25uZWN0aW9ucyB0aGF0IGFyZSBvcGVuLg==',
].join('');

const OTLP_METRICS = [
  'CvUECoABChwKDHNlcnZpY2UubmFtZRIMCgpuZXRtb24tdHVpChoKD3NlcnZpY2UudmVyc2lvbhIHCgUxLjIuMwodChNzZXJ2aWNlLmluc3RhbmNlLmlkEgYK',
  'BGFiMTIKEQoHaG9zdC5pZBIGCgRhYjEyChIKB29zLnR5cGUSBwoFbGludXgSxgMKEwoKbmV0bW9uLXR1aRIFMS4yLjMSmwEKEnByb2Nlc3MubmV0d29yay5p',
  'bxIYQnl0ZXMgdGhhdCBhbiBhcHAgbW92ZWQuGgJCeTpnCmERAAAqNv6clxcZAJBZhgedlxcx////////HwA6IQoXcHJvY2Vzcy5leGVjdXRhYmxlLm5hbWUS',
  'BgoEY3VybDohChRuZXR3b3JrLmlvLmRpcmVjdGlvbhIJCgdyZWNlaXZlEAIYARKrAQoObmV0bW9uLmFwcC5ydHQSSVRDUCByb3VuZCB0cmlwczogaG93IG1h',
  'bnkgd2VyZSBtZWFzdXJlZCwgYW5kIGhvdyBsb25nIHRoZXkgdG9vayB0b2dldGhlci4aAXNKSwpHEQAAKjb+nJcXGQCQWYYHnZcXIQMAAAAAAAAAKQAAAAAA',
  'AMA/SiEKF3Byb2Nlc3MuZXhlY3V0YWJsZS5uYW1lEgYKBGN1cmwQAhJjCg5uZXRtb24udW5vd25lZBI4U2hhcmUgb2YgdGhlIGJ5dGVzIHNpbmNlIHRoZSBz',
  'dGFydCB3aG9zZSBhcHAgaXMgdW5rbm93bi4aATEqFAoSGQCQWYYHnZcXIQAAAAAAANA/GidodHRwczovL29wZW50ZWxlbWV0cnkuaW8vc2NoZW1hcy8xLjQ0',
  'LjA=',
].join('');

const OTLP_LOGS = [
  'CsoJCpYBChwKDHNlcnZpY2UubmFtZRIMCgpuZXRtb24tdHVpChoKD3NlcnZpY2UudmVyc2lvbhIHCgUxLjIuMwodChNzZXJ2aWNlLmluc3RhbmNlLmlkEgYK',
  'BGFiMTIKEQoHaG9zdC5pZBIGCgRhYjEyChMKCWhvc3QubmFtZRIGCgRtYWMxChMKB29zLnR5cGUSCAoGZGFyd2luEoUIChMKCm5ldG1vbi10dWkSBTEuMi4z',
  'EqgFCQBa9MEHnZcXEAkaBElORk8yHAoOc291cmNlLmFkZHJlc3MSCgoIMTAuMC4wLjEyEwoLc291cmNlLnBvcnQSBBjQhgMyIwoTZGVzdGluYXRpb24uYWRk',
  'cmVzcxIMCgoxOTIuMC4yLjgwMhcKEGRlc3RpbmF0aW9uLnBvcnQSAxi7AzIjCg5zZXJ2ZXIuYWRkcmVzcxIRCg93d3cuZXhhbXBsZS5jb20yGgoRbmV0d29y',
  'ay50cmFuc3BvcnQSBQoDdGNwMh4KFW5ldHdvcmsucHJvdG9jb2wubmFtZRIFCgN0bHMyIAoWbmV0d29yay5pbnRlcmZhY2UubmFtZRIGCgRldGgwMiEKF3By',
  'b2Nlc3MuZXhlY3V0YWJsZS5uYW1lEgYKBGN1cmwyKgoXcHJvY2Vzcy5leGVjdXRhYmxlLnBhdGgSDwoNL3Vzci9iaW4vY3VybDISCgtwcm9jZXNzLnBpZBID',
  'GMECMhcKEGZsb3cuYnl0ZXMudG90YWwSAxi8BTIfChhmbG93LnJldmVyc2UuYnl0ZXMudG90YWwSAxiIJzIYChJmbG93LnBhY2tldHMudG90YWwSAhgHMiAK',
  'GmZsb3cucmV2ZXJzZS5wYWNrZXRzLnRvdGFsEgIYCTIeChduZXRtb24uZmxvdy5kdXJhdGlvbl9tcxIDGOgHMh4KEG5ldG1vbi5kaXJlY3Rpb24SCgoIb3V0',
  'Ym91bmQyGAoPbmV0bW9uLmNhdGVnb3J5EgUKA3dlYjIeCg1uZXRtb24uZG9tYWluEg0KC2V4YW1wbGUuY29tMh0KEm5ldG1vbi5hdHRyaWJ1dGlvbhIHCgVl',
  'eGFjdDIYCg5sb2cucmVjb3JkLnVpZBIGCgRyMS0wWQDooH4VnZcXYgxuZXR3b3JrLmZsb3cSwgIJACSP/QedlxcQDRoEV0FSTiobChljdXJsIHJlYWNoZWQg',
  'YSBuZXcgZG9tYWluMhgKD25ldG1vbi5hbGVydC5pZBIFCgNhLTEyIQoRbmV0bW9uLmFsZXJ0LmtpbmQSDAoKbmV3LWRvbWFpbjIoChRuZXRtb24uYWxlcnQu',
  'ZGV0YWlscxIQKg4KBQoDb25lCgUKA3R3bzIhChdwcm9jZXNzLmV4ZWN1dGFibGUubmFtZRIGCgRjdXJsMhIKC3Byb2Nlc3MucGlkEgMYwQIyIwoOc2VydmVy',
  'LmFkZHJlc3MSEQoPd3d3LmV4YW1wbGUuY29tMh4KDW5ldG1vbi5kb21haW4SDQoLZXhhbXBsZS5jb20yGAoObG9nLnJlY29yZC51aWQSBgoEcjEtMVkA6KB+',
  'FZ2XF2IMbmV0bW9uLmFsZXJ0GidodHRwczovL29wZW50ZWxlbWV0cnkuaW8vc2NoZW1hcy8xLjQ0LjA=',
].join('');

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
const TIME = 1_700_000_040_000;
const BYTES: MetricSample = { metric: 'appBytes', labels: ['curl "ü"', 'receive'], value: Number.MAX_SAFE_INTEGER };
const TRIPS: MetricSample = { metric: 'appRoundTrip', labels: ['curl'], value: 0.125, count: 3 };
const FLOW: LoggedFlow = {
  start: TIME,
  end: TIME + 1000.4,
  protocol: 'tcp',
  localAddress: '10.0.0.1',
  localPort: 50_000,
  remoteAddress: '192.0.2.80',
  remotePort: 443,
  direction: 'outbound',
  container: null,
  interface: 'eth0',
  app: 'curl',
  reason: null,
  exe: '/usr/bin/curl',
  pid: 321,
  user: null,
  attribution: 'exact',
  host: 'www.example.com',
  nameSource: 'tls',
  domain: 'example.com',
  application: 'TLS',
  category: 'web',
  rxBytes: 5000,
  txBytes: 700,
  rxPackets: 9,
  txPackets: 7,
};
const ALERT: Alert = {
  id: 'a-1',
  time: TIME + 2000,
  kind: 'new-domain',
  severity: 'warning',
  app: 'curl',
  exe: null,
  pid: 321,
  user: null,
  host: 'www.example.com',
  domain: 'example.com',
  text: 'curl reached a new domain',
  details: ['one', 'two'],
  evidence: null,
  held: null,
};

const record = (of: LoggedFlow | Alert, uid: string) => ({ record: of, uid });

it('a request of remote write', () => {
  const sets = [
    { time: TIME, samples: [BYTES, TRIPS] },
    { time: TIME + 60_000, samples: [{ metric: 'connections', labels: [], value: 7 } as const] },
  ];
  expect(base64(unsnappy(remoteWrite(sets, { host: 'ab12' })))).toBe(REMOTE_WRITE);
});

it('metrics of OTLP', () => {
  const samples: MetricSample[] = [
    { ...BYTES, labels: ['curl', 'receive'] },
    TRIPS,
    { metric: 'unownedShare', labels: [], value: 0.25 },
    { metric: 'build', labels: ['1.2.3'], value: 1 },
  ];
  const set = { time: TIME, since: TIME - 40_000, samples };
  expect(base64(otlpMetrics([set], { hostId: 'ab12', hostName: null, os: 'linux', version: '1.2.3' }))).toBe(OTLP_METRICS);
});

it('logs of OTLP', () => {
  const resource = { hostId: 'ab12', hostName: 'mac1', os: 'darwin', version: '1.2.3' };
  expect(base64(otlpLogs([record(FLOW, 'r1-0'), record(ALERT, 'r1-1')], TIME + 60_000, resource))).toBe(OTLP_LOGS);
});

it('an inbound connection runs from its remote end, and what is unknown or kept back is left out', () => {
  const resource = { hostId: 'ab12', hostName: null, os: 'linux', version: '1.2.3' };
  const hidden = { ...FLOW, direction: 'inbound', localAddress: '', remoteAddress: '', host: null, exe: null } as const;
  const text = Buffer.from(otlpLogs([record(hidden, '')], TIME, resource)).toString('latin1');
  for (const name of ['source.address', 'destination.address', 'server.address', 'client.address', 'process.executable.path'])
    expect([name, text.includes(name)]).toEqual([name, false]);
  const shown = Buffer.from(otlpLogs([record({ ...FLOW, direction: 'inbound' }, '')], TIME, resource)).toString('latin1');
  expect(shown).toMatch(/source\.address[^a-z]*192\.0\.2\.80/);
  expect(shown).toMatch(/client\.address[^a-z]*www\.example\.com/);
});

it('a connection of a container says which', () => {
  const resource = { hostId: 'ab12', hostName: null, os: 'linux', version: '1.2.3' };
  const container = { container: 'web-1', image: 'nginx:1', pod: null, namespace: null, project: 'shop' };
  const text = Buffer.from(otlpLogs([record({ ...FLOW, container }, '')], TIME, resource)).toString('latin1');
  expect(text).toMatch(/container\.name[^a-z]*web-1/);
  expect(text).toMatch(/container\.image\.name[^a-z]*nginx:1/);
  expect(text).toMatch(/netmon\.container\.project[^a-z]*shop/);
  expect(text).not.toContain('k8s');
});

describe('protobuf', () => {
  it.each([
    [0, '0800'],
    [127, '087f'],
    [300, '08ac02'],
    [Number.MAX_SAFE_INTEGER, '08ffffffffffffff0f'],
    [-1, '08ffffffffffffffffff01'],
    [-(2 ** 40), '088080808080e0ffffff01'],
  ])('writes the integer %d', (value, hex) => {
    const writer = new ProtobufWriter();
    writer.integer(1, value);
    expect(Buffer.from(writer.bytes).toString('hex')).toBe(hex);
  });

  it('puts texts and messages of any length in place, beyond what it has room for', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 5000 }), { maxLength: 3 }), (texts) => {
        const writer = new ProtobufWriter();
        for (const text of texts) writer.message(1, () => writer.message(2, () => writer.text(3, text)));
        const length = (bytes: Uint8Array): number[] => {
          const digits: number[] = [];
          let rest = bytes.length;
          for (; rest >= 128; rest >>>= 7) digits.push((rest & 127) | 128);
          return [...digits, rest];
        };
        const wrapped = (tag: number, bytes: Uint8Array) => Buffer.from([tag, ...length(bytes), ...bytes]);
        const expected = texts.map((text) => wrapped(10, wrapped(18, wrapped(26, Buffer.from(text)))));
        expect(Buffer.compare(writer.bytes, Buffer.concat(expected))).toBe(0);
      }),
      { numRuns: 25 },
    );
  });
});

describe('snappy', () => {
  it('gives back what went in, repetitive or not', () => {
    const repetitive = fc
      .tuple(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 30 }), { minLength: 1, maxLength: 5 }),
        fc.array(fc.nat(4), { maxLength: 900 }),
      )
      .map(([words, order]) => Buffer.concat(order.map((i) => words[i % words.length] as Uint8Array)));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 2000 }), repetitive), (bytes) => {
        expect(Buffer.compare(unsnappy(snappy(bytes)), bytes)).toBe(0);
      }),
    );
  });

  it('gives back inputs of several fragments, and makes text small', () => {
    const text = Buffer.from(
      Array.from({ length: 9000 }, (_, i) => `netmon_app_bytes_total{app="app${i % 40}"} ${i}\n`).join(''),
    );
    expect(text.length).toBeGreaterThan(300_000);
    const packed = snappy(text);
    expect(Buffer.compare(unsnappy(packed), text)).toBe(0);
    expect(packed.length).toBeLessThan(text.length / 3);
    const noise = Uint8Array.from({ length: 150_000 }, (_, i) => (Math.imul(i + 1, 0x9e3779b1) >>> 13) & 255);
    expect(Buffer.compare(unsnappy(snappy(noise)), noise)).toBe(0);
  });

  it('is what the reference decoder reads: a literal and a copy that overlaps itself', () => {
    expect(Buffer.from(snappy(Buffer.from('abababababab'))).toString('hex')).toBe('0c046162260200');
  });
});
