// With a source that counts only bytes, packets are unknown everywhere, and nothing else changes.

import { expect, it } from 'vitest';
import { lastWithoutPackets, withoutPackets } from '../../../src/pipeline/monitor.ts';
import { busy } from '../../support/snapshot-builder.ts';

it('makes every number of packets unknown, and keeps everything else', () => {
  const whole = busy();
  const without = withoutPackets(whole);
  const known = JSON.stringify(whole).replace(/"([rt]xPackets)":\d+/g, '"$1":null');
  expect(JSON.parse(JSON.stringify(without))).toEqual(JSON.parse(known));
  expect(known).not.toBe(JSON.stringify(whole));
});

it('does so in the last tick, too', () => {
  const { flows, hosts, ...rest } = busy();
  const last = lastWithoutPackets({ snapshot: { ...rest, flows, hosts }, flows, hosts });
  const packets = [...last.flows, ...last.hosts].flatMap(({ rxPackets, txPackets }) => [rxPackets, txPackets]);
  expect(packets.length).toBe((flows.length + hosts.length) * 2);
  expect(packets.every(Number.isNaN)).toBe(true);
});
