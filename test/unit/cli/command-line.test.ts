import { describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../../src/cli/command-line.ts';
import { COMMAND_NAMES } from '../../../src/cli/commands.ts';
import { FLAGS } from '../../../src/cli/config/settings.ts';
import { helpText } from '../../../src/cli/help.ts';
import { nearest } from '../../../src/cli/nearest.ts';
import { FIELDS } from '../../../src/filter/fields.ts';
import { NetmonError } from '../../../src/model/errors.ts';

function refusal(...words: string[]): NetmonError {
  try {
    parseCommandLine(words);
  } catch (thrown) {
    if (thrown instanceof NetmonError) return thrown;
    throw thrown;
  }
  throw new Error(`accepted: ${words.join(' ')}`);
}

describe('values', () => {
  it.each([[['--read', '-']], [['-r', '-']], [['-r-']], [['--read=-']], [['-r=-']]])('%j reads standard input', (words) => {
    expect(parseCommandLine(words).text('read')).toBe('-');
  });

  it.each([
    ['-app:curl'],
    ['"two words"'],
    ["'single'"],
    [''],
    ['--unknown'],
    ['a=b'],
    ['7'],
    ['true'],
    ['a.b'],
    ['line\nbreak'],
  ])('keeps %j exactly, in every form', (text) => {
    expect(parseCommandLine(['--filter', text]).text('filter')).toBe(text);
    expect(parseCommandLine(['-f', text]).text('filter')).toBe(text);
    expect(parseCommandLine([`--filter=${text}`]).text('filter')).toBe(text);
  });

  it('collects a repeatable flag in order and takes its value joined to the letter', () => {
    const line = parseCommandLine(['-i', 'en0', '-nien1', '--interface=lo0', '--json']);
    expect(line.texts('interface')).toEqual(['en0', 'en1', 'lo0']);
    expect(line.has('no-names')).toBe(true);
    expect(line.has('json')).toBe(true);
    expect(line.has('once')).toBe(false);
    expect(line.text('read')).toBeNull();
  });

  it('does not let a simple flag eat the word behind it', () => {
    expect(refusal('--json', 'true').message).toBe('unknown command "true"');
    expect(refusal('--json', 'false').message).toBe('unknown command "false"');
  });

  it('treats words behind -- as arguments', () => {
    expect(parseCommandLine(['--', 'interfaces']).command).toBe('interfaces');
    expect(refusal('--', '--json').message).toBe('unknown command "--json"');
  });
});

describe('the command help', () => {
  it('may be asked for as a command', () => {
    expect(parseCommandLine(['help']).has('help')).toBe(true);
    expect(parseCommandLine(['help']).command).toBe('watch');
    expect(parseCommandLine(['help', 'history']).command).toBe('history');
    expect(parseCommandLine(['query', 'help']).has('help')).toBe(false);
  });
});

describe('a statement', () => {
  it('may begin with a comment', () => {
    for (const words of [
      ['query', '-- top\nSELECT 1', '--csv'],
      ['--csv', 'query', '--', '-- top\nSELECT 1'],
    ]) {
      const line = parseCommandLine(words);
      expect([line.command, line.operand, line.has('csv')]).toEqual(['query', '-- top\nSELECT 1', true]);
    }
  });
});

describe('the command to run', () => {
  it.each([
    [['run', '--', 'npm', 'ci', '--json', '-f', 'x'], ['npm', 'ci', '--json', '-f', 'x'], null],
    [['--receipt', 'r.json', 'run', '--', 'a', '--', 'b'], ['a', '--', 'b'], 'r.json'],
    [['run', '--receipt=run', '--', 'run'], ['run'], 'run'],
    [['run', '--', '"quoted"', '', '--bogus=1', '01'], ['"quoted"', '', '--bogus=1', '01'], null],
  ])('is all that stands behind --: %j', (words, command, receipt) => {
    const line = parseCommandLine(words);
    expect([line.command, line.words, line.text('receipt')]).toEqual(['run', command, receipt]);
  });

  it('may have any number of words, and help is not theirs', () => {
    const many = Array.from({ length: 5000 }, () => '--help');
    const line = parseCommandLine(['run', '--', ...many]);
    expect([line.words.length, line.has('help')]).toEqual([5000, false]);
    expect(parseCommandLine(['query', '--', 'run']).words).toEqual([]);
  });
});

describe('refusals', () => {
  it.each([
    [['--jsn'], 'unknown option "--jsn"', 'did you mean --json?'],
    [['--intreval', '2s'], 'unknown option "--intreval"', 'did you mean --interval?'],
    [['-json'], 'unknown option "-json"', 'did you mean --json?'],
    [['-q'], 'unknown option "-q"', 'type: netmon-tui --help'],
    [['-nq'], 'unknown option "-q"', 'type: netmon-tui --help'],
    [['--__proto__'], 'unknown option "--__proto__"', 'type: netmon-tui --help'],
    [['--constructor=1'], 'unknown option "--constructor"', 'type: netmon-tui --help'],
    [['---'], 'unknown option "---"', 'type: netmon-tui --help'],
    [['--no-json'], 'unknown option "--no-json"', null],
    [['--interface'], '--interface needs a value', 'type: --interface NAME'],
    [['-i', '--json'], '-i needs a value', 'type: -i NAME'],
    [['-ni'], '-i needs a value', 'type: -i NAME'],
    [['--json=1'], '--json takes no value', 'type: netmon-tui --help'],
    [['-f', 'a', '--filter', 'b'], '--filter is given 2 times', 'give --filter once'],
    [['completions'], 'completions needs a shell', 'type: netmon-tui completions bash'],
    [['completions', 'csh'], '"csh" is not one of bash, zsh, fish', 'type: netmon-tui completions bash'],
    [['interfacs'], 'unknown command "interfacs"', 'did you mean interfaces?'],
    [['trace.pcap'], 'unknown command "trace.pcap"', 'to replay a file, type: netmon-tui --read FILE'],
    [['en0'], 'unknown command "en0"', 'to capture on an interface, type: netmon-tui -i en0'],
    [['any'], 'unknown command "any"', 'to capture on an interface, type: netmon-tui -i any'],
    [['curl'], 'unknown command "curl"', 'to see one app, type: netmon-tui -f app:curl'],
    [['example.com'], 'unknown command "example.com"', 'to see what goes there, type: netmon-tui -f example.com'],
    [['two words'], 'unknown command "two words"', 'type: netmon-tui --help'],
    [['hlep'], 'unknown command "hlep"', 'did you mean help?'],
    [['version'], 'unknown command "version"', 'did you mean --version?'],
    [['help', 'curl'], 'unknown command "curl"', 'type: netmon-tui --help'],
    [['watch'], 'unknown command "watch"', null],
    [['run'], 'the command to run stands behind --', 'type: netmon-tui run --'],
    [['run', 'npm', 'ci'], 'the command to run stands behind --', 'type: netmon-tui run -- npm ci'],
    [['run', 'x', '--', 'npm'], 'the command to run stands behind --', null],
    [['run', '--json', '--', 'npm'], '--json does not go with run', null],
    [['interfaces', 'x'], 'unexpected argument "x" after interfaces', 'type: netmon-tui interfaces --help'],
    [['doctor', '--csv'], '--csv does not go with doctor', 'type: netmon-tui doctor --help'],
    [['interfaces', '-r', 'x'], '--read does not go with interfaces', 'type: netmon-tui interfaces --help'],
    [['--csv'], '--csv goes only with history, query', 'type: netmon-tui history --csv'],
    [['--history', 'a.sqlite'], 'unknown command "a.sqlite"', 'a path needs a "=": --history=a.sqlite'],
    [['query', 'x', '--history', './b'], 'unexpected argument "./b" after query', 'a path needs a "=": --history=./b'],
    [['\u001b[31mred\u009b'], 'unknown command "[31mred"', null],
  ])('%j', (words, message, hint) => {
    const error = refusal(...words);
    expect(error.code).toBe('usage');
    expect(error.exitStatus).toBe(2);
    expect(error.message).toBe(message);
    if (hint !== null) expect(error.hint).toBe(hint);
  });

  it('answers --help and --version whatever else is wrong', () => {
    expect(parseCommandLine(['foo', '--help']).has('help')).toBe(true);
    expect(parseCommandLine(['-f', 'a', '-f', 'b', '-V']).has('version')).toBe(true);
  });

  it('refuses an endless command line', () => {
    expect(refusal(...Array.from({ length: 1001 }, () => 'x')).message).toBe('more than 1000 arguments');
  });
});

describe('help', () => {
  const lines = helpText().split('\n');

  it('fits 80 columns and lists every flag but the opposites', () => {
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    const listed = [...helpText().matchAll(/^ {2}(?:-\w, | {4})--([\w-]+)/gm)].map((match) => match[1]);
    expect(listed.sort()).toEqual(FLAGS.flatMap((flag) => (flag.help === null ? [] : [flag.name])).sort());
    expect(FLAGS.flatMap((flag) => (flag.help === null ? [flag.name] : [])).sort()).toEqual([
      'color',
      'names',
      'no-ascii',
      'no-lite',
      'no-reverse-dns',
    ]);
  });

  it.each(COMMAND_NAMES.slice(1))('of %s lists what goes with it, and nothing else', (command) => {
    expect(parseCommandLine([command, '--help']).command).toBe(command);
    const text = helpText(command);
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(text).toMatch(new RegExp(`^netmon-tui ${command}: \\w[^]*\nUsage:\n  netmon-tui ${command} `));
    const listed = [...text.matchAll(/^ {2}(?:-\w, | {4})--([\w-]+)/gm)].map((match) => match[1]);
    const taken = FLAGS.filter((flag) => flag.help !== null && flag.commands.includes(command)).map(({ name }) => name);
    expect(listed.sort()).toEqual(taken.sort());
  });

  it('names every field of the filter language', () => {
    const words = new Set(
      helpText()
        .split('Filters:')[1]
        ?.split('Examples:')[0]
        ?.split(/[\s;]+/),
    );
    expect(FIELDS.map(({ name }) => name).filter((name) => !words.has(name))).toEqual([]);
  });

  it('shows examples and every exit status', () => {
    expect(helpText()).toContain('\nExamples:\n');
    for (const status of ['0', '1', '2', '3', '4', '5', '6', '7', '8', '128\\+n'])
      expect(helpText()).toMatch(new RegExp(`^  ${status} +\\w`, 'm'));
  });
});

describe('nearest', () => {
  it.each([
    ['jsn', 'json'],
    ['tehme', 'theme'],
    ['JSON', 'json'],
    ['xyz', null],
    ['', null],
  ])('%s -> %s', (word, near) => {
    expect(nearest(word, ['json', 'theme', 'interval'])).toBe(near);
  });
});
