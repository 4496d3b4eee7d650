import { expect, it } from 'vitest';
import { addedAddresses } from '../../../../src/capture/devices/address-watch.ts';
import { formatAddress } from '../../../../src/net/address.ts';

/** A message of rtnetlink: header, struct ifaddrmsg, attributes. */
function message(type: number, family: number, attributes: [number, number[]][]): Buffer {
  const parts = attributes.map(([kind, value]) => {
    const bytes = Buffer.alloc((4 + value.length + 3) & ~3);
    bytes.writeUInt16LE(4 + value.length, 0);
    bytes.writeUInt16LE(kind, 2);
    bytes.set(value, 4);
    return bytes;
  });
  const body = Buffer.concat([Buffer.from([family, 24, 0, 0, 2, 0, 0, 0]), ...parts]);
  const header = Buffer.alloc(16);
  header.writeUInt32LE(16 + body.length, 0);
  header.writeUInt16LE(type, 4);
  return Buffer.concat([header, body]);
}

const texts = (bytes: Buffer) => {
  const words = addedAddresses(bytes);
  return Array.from({ length: words.length / 4 }, (_, i) => formatAddress(Int32Array.from(words.slice(4 * i, 4 * i + 4))));
};
const SIX = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7];
const added = message(20, 2, [
  [1, [10, 0, 0, 2]], // the other end of a tunnel
  [2, [10, 0, 0, 1]],
  [3, [101, 0]],
]);

it('reads this machine’s addresses from messages about new ones, and from no others', () => {
  const six = message(20, 10, [[1, SIX]]);
  const gone = message(21, 2, [[2, [10, 0, 0, 9]]]);
  expect(texts(Buffer.concat([added, gone, six]))).toEqual(['10.0.0.1', '2001:db8::7']);
});

it('stops where a message is cut or lies about its length', () => {
  const lie = Buffer.from(added);
  lie.writeUInt32LE(0, 0);
  for (let cut = 0; cut < added.length; cut++) expect(texts(added.subarray(0, cut))).toEqual([]);
  expect([texts(lie), texts(message(20, 2, [[2, [10, 0]]])), texts(message(20, 7, [[2, [1, 2, 3, 4]]]))]).toEqual([[], [], []]);
});
