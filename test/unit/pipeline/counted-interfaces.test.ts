import { describe, expect, it } from 'vitest';
import { interfaceKind } from '../../../src/capture/devices/kind.ts';
import { countedInterfaces } from '../../../src/pipeline/monitor.ts';

const of = (names: readonly string[], named: readonly string[] = [], hasPhysical = false) => [
  ...countedInterfaces(
    names.map((name) => ({ name, kind: interfaceKind(name) })),
    named,
    hasPhysical,
  ),
];

describe('countedInterfaces', () => {
  it('takes physical interfaces and loopback, not what is stacked on them', () => {
    expect(of(['lo0', 'en0', 'utun4', 'bridge100', 'awdl0', 'en1'])).toEqual(['lo0', 'en0', 'en1']);
  });

  it('takes all if none is physical', () => {
    expect(of(['lo', 'utun0', 'veth1'])).toEqual(['lo', 'utun0', 'veth1']);
    expect(of([])).toEqual([]);
  });

  it('takes all that the user named, and treats `any` as no name', () => {
    expect(of(['utun4', 'en0'], ['utun4', 'en0'])).toEqual(['utun4', 'en0']);
    expect(of(['utun4', 'en0'], ['any'])).toEqual(['en0']);
  });
});
