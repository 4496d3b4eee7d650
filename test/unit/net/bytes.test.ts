import fc from 'fast-check';
import { expect, test } from 'vitest';
import { i32, i32le, u8, u16, u16le, u32, u32le } from '../../../src/net/bytes.ts';

test('reads agree with Buffer, signs included', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 8, maxLength: 8 }), fc.nat(4), (bytes, at) => {
      const buffer = Buffer.from(bytes);
      expect(u8(bytes, at)).toBe(buffer.readUInt8(at));
      expect(u16(bytes, at)).toBe(buffer.readUInt16BE(at));
      expect(u16le(bytes, at)).toBe(buffer.readUInt16LE(at));
      expect(i32(bytes, at)).toBe(buffer.readInt32BE(at));
      expect(u32(bytes, at)).toBe(buffer.readUInt32BE(at));
      expect(i32le(bytes, at)).toBe(buffer.readInt32LE(at));
      expect(u32le(bytes, at)).toBe(buffer.readUInt32LE(at));
    }),
  );
});
