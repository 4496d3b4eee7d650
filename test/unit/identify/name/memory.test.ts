// Measures the name tables when all are full of names of maximum length.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { NameStrings } from '../../../../src/identify/name/name-strings.ts';
import { V4_MAPPED } from '../../../../src/net/address.ts';
import { Naming } from '../../../support/naming.ts';

const MIB = 1 << 20;
const NAMES = 150_000;
/** The same tables weigh 23 MiB under Node 20 and 31 to 36 under Node 24, whose V8 leaves more room in them. */
const MOST_MIB = Number(process.versions.node.split('.')[0]) < 22 ? 32 : 40;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function weight(): number {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** A name of maximum length. Its text is flat, like one read from a packet. */
function longName(i: number): string {
  const label = 'x'.repeat(58);
  return Buffer.from(`${String(i).padStart(8, '0')}.${label}.${label}.${label}.${label}.example`.slice(0, 253)).toString(
    'latin1',
  );
}

it('all names together stay below a limit, regardless of their number and length', () => {
  new Naming(); // loads shared data first, which doesn't count
  const before = weight();
  const strings = new NameStrings();
  const naming = new Naming({ names: strings, maxRows: 1024 });
  const words = new Int32Array([0, 0, V4_MAPPED, 0]);
  for (let i = 0; i < NAMES; i++) {
    words[3] = 0x1000_0000 + i;
    naming.names.answer(-1, 'dns', longName(i), words, 0, 300);
  }
  for (let i = 0; i < NAMES; i++) {
    const row = naming.send({ sport: 1 + (i % 60_000), dport: 443, dst: `198.51.${(i >> 16) & 255}.${i & 255}` });
    naming.names.serverName(row, 'tls', longName(NAMES + i), false);
    naming.names.domainOf(naming.names.nameOf(row));
    naming.flows.remove(row);
  }
  const bytes = weight() - before;
  expect(strings.count).toBeGreaterThan(20_000);
  expect(strings.refused).toBeGreaterThan(0);
  expect(bytes / MIB).toBeLessThan(MOST_MIB);
  expect(bytes / MIB).toBeGreaterThan(10);
  expect(naming.names.now).toBe(0); // keeps the object alive until here
});
