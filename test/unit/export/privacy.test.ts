// What leaves of a row by what the user allows.

import { describe, expect, it } from 'vitest';
import { Privacy } from '../../../src/export/privacy.ts';
import type { Alert } from '../../../src/model/alert.ts';
import { PERSONAL_FIELDS } from '../../../src/model/export.ts';
import type { MinuteRow } from '../../../src/model/export-batch.ts';
import type { LoggedFlow } from '../../../src/model/history-batch.ts';

const facts = {
  app: 'curl',
  reason: null,
  exe: '/home/ann/bin/curl',
  host: 'cdn.ann.example',
  domain: 'ann.example',
  category: 'Web',
  interface: 'en0',
  protocol: 'tcp',
  direction: 'outbound',
  container: null,
  rxBytes: 5,
  txBytes: 6,
  rxPackets: 1,
  txPackets: 2,
} as const;
const minute: MinuteRow = { ...facts, flows: 1, time: 60_000, isLate: false };
const flow: LoggedFlow = {
  ...facts,
  start: 1,
  end: 2,
  localAddress: '192.0.2.1',
  localPort: 50_000,
  remoteAddress: '2001:db8::1',
  remotePort: 443,
  pid: 7,
  user: 'ann',
  attribution: 'exact',
  nameSource: 'tls',
  application: 'tls',
};
const alert: Alert = {
  id: 'a-1',
  time: 1,
  kind: 'new-domain',
  severity: 'info',
  app: 'curl',
  exe: '/home/ann/bin/curl',
  pid: 7,
  user: 'ann',
  host: '192.0.2.9',
  domain: 'ann.example',
  text: 'curl reached ann.example',
  details: ['as ann'],
  evidence: '/home/ann/x.pcapng',
  held: null,
};
const everything = (privacy: Privacy) =>
  JSON.stringify([privacy.minute(minute), privacy.flow(flow), privacy.alert(alert), privacy.text('machine', 'ann-mac')]);

describe('privacy', () => {
  it('sends by default nothing that says something about people, and every number', () => {
    const privacy = new Privacy({ fields: [], hash: [] }, 'key');
    expect(everything(privacy)).not.toMatch(/ann|192\.0|2001/);
    expect(privacy.minute(minute)).toEqual({ ...minute, exe: null, host: null, domain: null });
    expect(privacy.flow(flow)).toMatchObject({ app: 'curl', pid: 7, remotePort: 443, rxBytes: 5, localAddress: '' });
    expect(privacy.alert(alert)).toMatchObject({
      id: 'a-1',
      kind: 'new-domain',
      app: 'curl',
      text: '',
      details: [],
      evidence: null,
    });
  });

  it('sends what was asked for, and an address only as an address', () => {
    const privacy = new Privacy({ fields: ['host', 'domain'], hash: [] }, 'key');
    expect(privacy.minute(minute)).toEqual({ ...minute, exe: null });
    expect(privacy.minute({ ...minute, host: '192.0.2.9' }).host).toBeNull();
    expect(privacy.alert(alert)).toMatchObject({ host: null, domain: 'ann.example', user: null, text: '' });
    const all = new Privacy({ fields: PERSONAL_FIELDS, hash: [] }, 'key');
    expect(all.alert(alert)).toEqual({ ...alert, evidence: null });
    expect(all.flow(flow)).toEqual(flow);
  });

  it('hashes with the key: the same text to the same hash, and another with another key', () => {
    const privacy = new Privacy({ fields: [], hash: PERSONAL_FIELDS }, 'key');
    expect(everything(privacy)).not.toMatch(/ann|192\.0|2001/);
    const { domain, host } = privacy.minute(minute);
    expect(domain).toMatch(/^[0-9a-f]{16}$/);
    expect(privacy.flow(flow).domain).toBe(domain);
    expect(host).not.toBe(domain);
    expect(new Privacy({ fields: [], hash: ['domain'] }, 'other').minute(minute).domain).not.toBe(domain);
  });
});
