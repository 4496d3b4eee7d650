import { describe, expect, it } from 'vitest';
import { KernelTypes } from '../../../../../../src/identify/process/linux/ebpf/kernel-types.ts';

const INT = 1;
const STRUCT = 4;
const UNION = 5;
const TYPEDEF = 8;
const FUNC = 12;
const PROTO = 13;

/** Type information as a kernel build writes it: `[name, kind, words after the type's third, members, bit fields]`. */
function btf(...types: [name: string, kind: number, rest?: (string | number)[], members?: number, fields?: boolean][]): Buffer {
  const names = ['', ...types.flatMap(([name, , rest = []]) => [name, ...rest.filter((each) => typeof each === 'string')])];
  const strings = `${[...new Set(names)].join('\0')}\0`;
  const at = (name: string) => (name === '' ? 0 : strings.indexOf(`\0${name}\0`) + 1);
  const words = types.flatMap(([name, kind, rest = [], members = 0, fields = false]) => [
    at(name),
    (kind << 24) | members | (fields ? 1 << 31 : 0),
    0,
    ...rest.map((each) => (typeof each === 'string' ? at(each) : each)),
  ]);
  const bytes = Buffer.alloc(24 + words.length * 4 + strings.length);
  bytes.writeUInt16LE(0xeb9f, 0);
  for (const [i, value] of [24, 0, words.length * 4, words.length * 4, strings.length].entries())
    bytes.writeUInt32LE(value, 4 + 4 * i);
  for (const [i, word] of words.entries()) bytes.writeInt32LE(word | 0, 24 + 4 * i);
  bytes.write(strings, 24 + words.length * 4, 'latin1');
  return bytes;
}

const KERNEL = btf(
  ['int', INT, [0x20]],
  ['', PROTO, ['skb', 1], 1],
  ['net_dev_queue', STRUCT],
  ['', STRUCT, ['tail', 1, 160, 'flags', 1, (3 << 24) | 195], 2, true],
  ['', UNION, ['', 4, 0], 1],
  ['sk_buff', STRUCT, ['sk', 1, 64, '', 5, 128, 'len', 1, 512], 3],
  ['btf_trace_net_dev_queue', TYPEDEF],
  ['packet_parse_headers', FUNC],
);

describe('KernelTypes', () => {
  const types = new KernelTypes(KERNEL);

  it('finds a tracepoint and a function by their numbers', () => {
    expect([types.tracepoint('net_dev_queue'), types.functionId('packet_parse_headers')]).toEqual([7, 8]);
  });

  it('finds members, even inside unnamed structs and unions, and in structs with bit fields', () => {
    expect(['sk', 'len', 'tail', 'flags'].map((name) => types.offset('sk_buff', name))).toEqual([8, 64, 16 + 20, 16 + 24]);
  });

  it('takes no member for a type, whatever follows its name', () => {
    const decoyed = btf(['decoy', STRUCT, ['wanted', FUNC << 24, 0], 1], ['wanted', FUNC]);
    expect(new KernelTypes(decoyed).functionId('wanted')).toBe(2);
  });

  it('reads bytes that lie at any address', () => {
    for (let shift = 0; shift < 4; shift++) {
      const bytes = Buffer.concat([Buffer.alloc(shift), KERNEL]).subarray(shift);
      expect(new KernelTypes(bytes).offset('sk_buff', 'sk')).toBe(8);
    }
  });

  it.each([
    ['a tracepoint', () => types.tracepoint('sk_buff')],
    ['a function', () => types.functionId('net_dev_queue')],
    ['a struct', () => types.offset('btf_trace_net_dev_queue', 'sk')],
    ['a member', () => types.offset('sk_buff', 'int')],
    ['a name', () => types.offset('sk_buff', 'nowhere')],
  ])('says that %s is not there', (_, ask) => {
    expect(ask).toThrow(/^no .* in this kernel$/);
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['something else', Buffer.alloc(64)],
  ])('refuses %s', (_, bytes) => {
    expect(() => new KernelTypes(bytes)).toThrow('this kernel has no type information');
  });

  it('ends on types that are truncated or circular', () => {
    for (let length = 24; length < KERNEL.length; length++) {
      try {
        new KernelTypes(KERNEL.subarray(0, length)).offset('sk_buff', 'len');
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(Error);
      }
    }
    const circle = new KernelTypes(btf(['sk_buff', STRUCT, ['', 1, 0], 1], ['len', INT, [0]]));
    expect(() => circle.offset('sk_buff', 'len')).toThrow('in this kernel');
  });
});
