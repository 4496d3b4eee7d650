import { describe, expect, it } from 'vitest';
import { reportError } from '../../../src/cli/print-error.ts';
import { type ErrorCode, EXIT_STATUS, NetmonError } from '../../../src/model/errors.ts';
import { shellWords } from '../../../src/net/quote.ts';
import { commandOf, type Invocation, permissionHint } from '../../../src/privilege/sudo-command.ts';

const LINUX: Invocation = {
  platform: 'linux',
  euid: 501,
  node: '/usr/bin/node',
  script: '/usr/bin/netmon-tui',
  folder: '/home/ann',
  words: ['-i', 'en0', '-f', 'app:"my app"', "it's", '$(x)', ''],
};

describe('reportError', () => {
  it.each(Object.entries(EXIT_STATUS))('exits %s with %i, in two lines', (code, status) => {
    const report = reportError(new NetmonError(code as ErrorCode, 'the thing', 'type: that'), LINUX, null);
    expect(report).toEqual({ text: 'netmon-tui: the thing\n  type: that\n', status });
  });

  it('leaves out a hint that is not there', () => {
    expect(reportError(new NetmonError('device-lost', 'en0 vanished'), LINUX, null).text).toBe('netmon-tui: en0 vanished\n');
  });

  it('answers missing rights with the exact command', () => {
    const error = new NetmonError('permission', 'no permission to capture on en0', 'run: sudo netmon-tui');
    expect(reportError(error, { ...LINUX, words: ['--json'] }, null)).toEqual({
      text: 'netmon-tui: no permission to capture on en0\n  type: sudo netmon-tui --json\n',
      status: 3,
    });
    const file = new NetmonError('permission', '/x may not be read', 'ls -l /x');
    expect(reportError(file, LINUX, null).text).toBe('netmon-tui: /x may not be read\n  ls -l /x\n');
  });

  it.each([[new Error('boom\nsecond line')], ['boom'], [new TypeError('boom')]])('calls %s a bug, without a stack', (thrown) => {
    const { text, status } = reportError(thrown, LINUX, null);
    expect(text).toBe(
      'netmon-tui: internal error: boom\n  this is a bug in netmon-tui; to see where it happened, add --log FILE\n',
    );
    expect(status).toBe(1);
  });

  it('writes stacks, and those of causes, into the log alone', () => {
    const lines: string[] = [];
    const log = { level: 'debug' as const, write: (level: string, text: string) => lines.push(`${level} ${text}`) };
    const { text } = reportError(new NetmonError('usage', 'outer', 'hint', new Error('inner')), LINUX, log);
    expect(text).toBe('netmon-tui: outer\n  hint\n');
    expect(lines[0]).toBe('error failed: usage');
    expect(lines[1]).toMatch(/^debug [\s\S]*print-error\.test\.ts[\s\S]*Error: inner/);
    expect(reportError(new TypeError('boom'), LINUX, log).text).toContain('; the log says where it happened\n');
    expect(lines[2]).toMatch(/^error bug: TypeError\nat .*, print-error\.test\.ts:\d+:\d+\n/);
    expect(lines[3]).toMatch(/^debug TypeError: boom\n[\s\S]*print-error\.test\.ts/);
  });

  it('writes what messages quote, and whose folders files lie in, for debug alone', () => {
    const lines: string[] = [];
    const log = { level: 'info' as const, write: (level: string, text: string) => void (level !== 'debug' && lines.push(text)) };
    const said = 'host 192.0.2.77 of nas.example.com\n    at Ann (/home/ann/x.js:1:2)';
    const changed = new Error('x');
    changed.stack = `Error: ${said}`;
    for (const thrown of [new Error(said, { cause: new TypeError(said) }), new NetmonError('bad-filter', said), said, changed])
      reportError(thrown, LINUX, log);
    expect(lines).toHaveLength(4);
    expect(lines.join('\n')).not.toMatch(/192|example|ann|Ann|\//);
    expect(lines[0]).toMatch(/^bug: Error\nat [\s\S]*\nTypeError\nat /);
  });

  it('lets nothing through that moves a cursor', () => {
    const { text } = reportError(new NetmonError('usage', '\u001b[2Jx\u009b\r', '\u202ey'), LINUX, null);
    expect(text).toBe('netmon-tui: [2Jx\n  y\n');
  });
});

describe('commandOf', () => {
  it.each([
    ['/opt/homebrew/bin/netmon-tui', '/Users/ann', 'netmon-tui'],
    ['/Users/ann/netmon-tui/bin/netmon-tui.js', '/Users/ann/netmon-tui', 'bin/netmon-tui.js'],
    ['/Users/ann/netmon-tui/bin/netmon-tui.js', '/', 'Users/ann/netmon-tui/bin/netmon-tui.js'],
  ])('%s in %s is typed %s', (script, folder, typed) => expect(commandOf({ node: LINUX.node, script, folder })).toBe(typed));
});

describe('permissionHint', () => {
  const hint = (part: Partial<Invocation>) => permissionHint({ ...LINUX, words: ['-n'], ...part });

  it("quotes the user's own arguments", () => {
    expect(permissionHint(LINUX)).toBe(`type: sudo netmon-tui -i en0 -f 'app:"my app"' 'it'\\''s' '$(x)' ''`);
  });

  it.each<[string, Partial<Invocation>, string]>([
    ['an installed command', {}, 'type: sudo netmon-tui -n'],
    ['node outside of the path of sudo', { node: '/home/ann/.nvm/v20/bin/node' }, 'type: sudo env "PATH=$PATH" netmon-tui -n'],
    ['the command outside of it', { script: '/home/ann/.npm/bin/netmon-tui' }, 'type: sudo env "PATH=$PATH" netmon-tui -n'],
    ['a clone', { folder: '/src', script: '/src/bin/netmon-tui.js' }, 'type: sudo bin/netmon-tui.js -n'],
    ['its own folder', { folder: '/src/bin', script: '/src/bin/netmon-tui.js' }, 'type: sudo ./netmon-tui.js -n'],
    ['a clone elsewhere', { script: '/src/bin/netmon-tui.js' }, 'type: sudo /src/bin/netmon-tui.js -n'],
    ['macOS, whose sudo keeps PATH', { platform: 'darwin', node: '/opt/homebrew/bin/node' }, 'type: sudo netmon-tui -n'],
    ['the executable', { node: null, script: '/usr/local/bin/netmon-tui' }, 'type: sudo netmon-tui -n'],
    ['the executable elsewhere', { node: null, script: '/opt/n/netmon-tui', folder: '/opt' }, 'type: sudo n/netmon-tui -n'],
    ['root in a container', { euid: 0 }, 'root lacks CAP_NET_RAW here: start the container with --cap-add NET_RAW'],
  ])('%s', (_, part, expected) => {
    expect(hint(part)).toBe(expected);
  });
});

describe('shellWords', () => {
  it('leaves plain words bare and drops what cannot be typed', () => {
    expect(shellWords(['a-b_c.d/e:f=g,h@i%j+k', 'a b', 'a\u001b\nb', '~', '*', '#x'])).toBe(
      "a-b_c.d/e:f=g,h@i%j+k 'a b' ab '~' '*' '#x'",
    );
  });
});
