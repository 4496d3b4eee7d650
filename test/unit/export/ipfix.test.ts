import { expect, it } from 'vitest';
import { IpfixEncoder } from '../../../src/export/ipfix.ts';
import type { LoggedFlow } from '../../../src/model/history-batch.ts';

const FLOW: LoggedFlow = {
  ...{ start: 1_700_000_000_123, end: 1_700_000_007_456, protocol: 'tcp', direction: 'outbound', interface: 'en0' },
  ...{ localAddress: '10.0.0.2', localPort: 54_321, remoteAddress: '192.0.2.7', remotePort: 443 },
  container: null,
  ...{ app: 'curl', reason: null, exe: '/usr/bin/curl', pid: 77, user: 'ann', attribution: 'exact' },
  ...{ host: 'example.com', nameSource: 'tls', domain: 'example.com', application: 'https', category: 'web' },
  ...{ rxBytes: 5_000_000_000, txBytes: 900, rxPackets: 4_000_000, txPackets: 10 },
};
const NOW = 1_700_000_010_000;

interface Field {
  readonly id: number;
  readonly length: number;
  readonly enterprise: number;
}

/** A collector: reads messages as RFC 7011 has them, with what it was told of templates. */
class Collector {
  readonly templates = new Map<number, readonly Field[]>();
  /** Sequence number and number of data records of each message. */
  readonly messages: { sequence: number; domain: number; time: number; records: number }[] = [];
  readonly records: { template: number; values: Map<string, Buffer> }[] = [];

  read(message: Buffer): void {
    expect(message.readUInt16BE(0)).toBe(10);
    expect(message.readUInt16BE(2)).toBe(message.length);
    const before = this.records.length;
    for (let at = 16; at < message.length; ) {
      const [id, length] = [message.readUInt16BE(at), message.readUInt16BE(at + 2)];
      expect(length).toBeGreaterThan(4);
      this.#set(id, message.subarray(at + 4, at + length));
      at += length;
      expect(at).toBeLessThanOrEqual(message.length);
    }
    this.messages.push({
      time: message.readUInt32BE(4),
      sequence: message.readUInt32BE(8),
      domain: message.readUInt32BE(12),
      records: this.records.length - before,
    });
  }

  #set(id: number, bytes: Buffer): void {
    if (id === 2 || id === 3) {
      for (let at = 0; at < bytes.length; ) {
        const [template, count] = [bytes.readUInt16BE(at), bytes.readUInt16BE(at + 2)];
        at += id === 2 ? 4 : 6;
        const fields: Field[] = [];
        for (let i = 0; i < count; i++) {
          const number = bytes.readUInt16BE(at);
          const isOwn = number >= 0x8000;
          const enterprise = isOwn ? bytes.readUInt32BE(at + 4) : 0;
          fields.push({ id: number & 0x7fff, length: bytes.readUInt16BE(at + 2), enterprise });
          at += isOwn ? 8 : 4;
        }
        this.templates.set(template, fields);
      }
      return;
    }
    const fields = this.templates.get(id);
    if (fields === undefined) throw new Error(`template ${id} was not announced`);
    for (let at = 0; at < bytes.length; ) {
      const values = new Map<string, Buffer>();
      for (const { id: element, length, enterprise } of fields) {
        const own = length === 0xffff ? bytes.readUInt8(at++) : length;
        values.set(`${enterprise}/${element}`, bytes.subarray(at, at + own));
        at += own;
      }
      expect(at).toBeLessThanOrEqual(bytes.length);
      this.records.push({ template: id, values });
    }
  }

  text(record: number, element: string): string {
    return this.#value(record, element).toString('utf8');
  }

  number(record: number, element: string): number {
    const value = this.#value(record, element);
    return value.length === 8 ? Number(value.readBigUInt64BE()) : value.readUIntBE(0, value.length);
  }

  #value(record: number, element: string): Buffer {
    return this.records[record]?.values.get(element) ?? Buffer.from('missing');
  }
}

/** What a collector has after these flows. */
function collected(flows: readonly LoggedFlow[], mostBytes = 1400): Collector {
  const collector = new Collector();
  const encoder = new IpfixEncoder(0x89abcdef, mostBytes);
  collector.read(encoder.templates(NOW, true));
  collector.records.splice(0);
  for (const message of encoder.flows(flows, NOW)) collector.read(message);
  return collector;
}

it('writes a connection from its initiator, with both directions', () => {
  const told = collected([FLOW]);
  expect(told.text(0, '0/96')).toBe('https');
  expect([...(told.records[0]?.values.get('0/8') ?? [])]).toEqual([10, 0, 0, 2]);
  expect([...(told.records[0]?.values.get('0/12') ?? [])]).toEqual([192, 0, 2, 7]);
  expect([told.number(0, '0/7'), told.number(0, '0/11'), told.number(0, '0/4')]).toEqual([54_321, 443, 6]);
  expect([told.number(0, '0/1'), told.number(0, '0/2')]).toEqual([900, 10]);
  expect([told.number(0, '29305/1'), told.number(0, '29305/2')]).toEqual([5_000_000_000, 4_000_000]);
  expect([told.number(0, '0/152'), told.number(0, '0/153')]).toEqual([FLOW.start, FLOW.end]);
  const own = [1, 2, 4, 5, 6, 7, 8].map((element) => told.text(0, `32473/${element}`));
  expect(own).toEqual(['curl', '/usr/bin/curl', 'example.com', 'example.com', 'web', 'exact', 'ann']);
  expect(told.number(0, '32473/3')).toBe(77);
  expect(told.messages.at(-1)).toEqual({ time: 1_700_000_010, sequence: 8, domain: 0x89abcdef, records: 1 });
});

it('turns a connection from outside around', () => {
  const told = collected([{ ...FLOW, direction: 'inbound' }]);
  expect([...(told.records[0]?.values.get('0/8') ?? [])]).toEqual([192, 0, 2, 7]);
  expect([told.number(0, '0/7'), told.number(0, '0/11')]).toEqual([443, 54_321]);
  expect([told.number(0, '0/1'), told.number(0, '29305/1')]).toEqual([5_000_000_000, 900]);
});

it('has a template for each family, and for flows whose addresses stay here', () => {
  const six = { ...FLOW, localAddress: 'fe80::1%en0', remoteAddress: '2001:db8::2' };
  const told = collected([six, FLOW, { ...FLOW, localAddress: '', remoteAddress: '' }, { ...FLOW, protocol: 'arp' }, FLOW]);
  expect(told.records.map(({ template }) => template)).toEqual([257, 256, 258, 256]);
  expect(told.records[0]?.values.get('0/28')?.toString('hex')).toBe('20010db8000000000000000000000002');
});

it('names its own elements', () => {
  const collector = new Collector();
  collector.read(new IpfixEncoder(1, 1400).templates(NOW, true));
  expect(collector.records.map((_, i) => [collector.number(i, '0/303'), collector.text(i, '0/341')])).toEqual([
    [1, 'netmonApp'],
    [2, 'netmonExecutable'],
    [3, 'netmonProcessId'],
    [4, 'netmonHostName'],
    [5, 'netmonDomain'],
    [6, 'netmonCategory'],
    [7, 'netmonAttribution'],
    [8, 'netmonUser'],
  ]);
});

it('fills messages to their limit, and numbers records through all of them', () => {
  const flows = Array.from({ length: 500 }, (_, i): LoggedFlow => {
    const address = i % 7 === 0 ? { localAddress: '2001:db8::1', remoteAddress: `2001:db8::${i.toString(16)}` } : {};
    return { ...FLOW, ...address, remotePort: i, host: i % 11 === 0 ? null : 'x'.repeat(i % 200) };
  });
  const told = collected(flows);
  expect(told.records.map((_, i) => told.number(i, '0/11'))).toEqual(flows.map(({ remotePort }) => remotePort));
  let sequence = 0;
  for (const message of told.messages) {
    expect(message.sequence).toBe(sequence);
    sequence += message.records;
  }
  const encoder = new IpfixEncoder(1, 1400);
  const sizes = encoder.flows(flows, NOW).map(({ length }) => length);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(1400);
  expect(sizes.length).toBeLessThan(150);
});

it('cuts long texts between characters, and keeps numbers within theirs', () => {
  const told = collected([{ ...FLOW, host: 'ä'.repeat(200), txBytes: -5, pid: null, app: null }]);
  expect(told.text(0, '32473/4')).toBe('ä'.repeat(127));
  expect(told.number(0, '0/1')).toBe(0);
  expect(told.number(0, '32473/3')).toBe(0);
  expect(told.text(0, '32473/1')).toBe('');
});
