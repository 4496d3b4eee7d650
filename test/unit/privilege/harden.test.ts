import { describe, expect, test } from 'vitest';
import { foreignOption, isLent } from '../../../src/privilege/harden.ts';

describe("options of Node's", () => {
  test.each([
    ['--inspect'],
    ['--inspect-brk=0.0.0.0:9229'],
    ['--inspect_port=1'],
    ['--debug-port=1'],
    ['--heapsnapshot-signal=SIGUSR2'],
    ['--report-on-signal'],
  ])('%s lets others in', (option) => {
    expect(foreignOption([option])).toBe(option);
    expect(foreignOption(['--no-warnings'], `--max-old-space-size=64 ${option}`)).toBe(option);
  });

  test.each([
    ['-r'],
    ['--require=./x.js'],
    ['--import=data:text/javascript,0'],
    ['--experimental-loader'],
    ['--loader=x'],
    ['--experimental-default-config-file'],
    ['--snapshot-blob'],
  ])('%s runs other code first where it is inherited, and may be typed', (option) => {
    expect(foreignOption([], `--max-old-space-size=64 ${option}`)).toBe(option);
    expect(foreignOption([option])).toBeNull();
  });

  test.each([
    ['--no-warnings'],
    ['--max-old-space-size=64'],
    ['--expose-gc'],
    ['--report-signal-x'],
    ['--disable-sigusr1'],
    [''],
  ])('%s does not', (option) => expect(foreignOption([option], option)).toBeNull());

  test('quotes in NODE_OPTIONS hide nothing', () => {
    expect(foreignOption([], '--no-warnings "--inspect" x')).toBe('--inspect');
  });
});

test('capabilities are lent by a file, and not by root or a service manager', () => {
  const status = (permitted: string, ambient: string) => `Uid:\t1000\nCapPrm:\t${permitted}\nCapAmb:\t${ambient}\n`;
  const [none, some] = ['0000000000000000', '0000000000003000'];
  expect(isLent(status(some, none), 1000)).toBe(true);
  expect(isLent(status(some, some), 1000)).toBe(false);
  expect(isLent(status(none, none), 1000)).toBe(false);
  expect(isLent(status(some, none), 0)).toBe(false);
  expect(isLent('', 1000)).toBe(false);
});
