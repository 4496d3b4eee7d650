// Completions: bash itself is asked what it would offer; zsh and fish too where they are installed.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it, test } from 'vitest';
import { COMMAND_NAMES, SHELLS, type Shell } from '../../../src/cli/commands.ts';
import { completions } from '../../../src/cli/completions.ts';
import { FLAGS } from '../../../src/cli/config/settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'netmon-completions-'));
afterAll(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, 'trace one.pcap'), '');

const missing = (shell: Shell) => spawnSync(shell, ['-c', 'true']).error !== undefined;

/** What bash offers for the last of the words, in order. `=` is a word of its own, as bash splits it. */
function offered(...words: string[]): string[] {
  const script = `${completions('bash')}
COMP_WORDS=("$@") COMP_CWORD=$(( $# - 1 ))
_netmon_tui
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', 'netmon-tui', ...words], { encoding: 'utf8', cwd: folder });
  expect(stderr).toBe('');
  return stdout.split('\n').filter((line) => line !== '');
}

describe.skipIf(missing('bash'))('bash', () => {
  it('offers the commands', () => expect(offered('')).toEqual([...COMMAND_NAMES.slice(1), 'help']));
  it('offers commands to ask about', () => expect(offered('help', 're')).toEqual(['record', 'report']));
  it('offers commands that begin so', () => expect(offered('re')).toEqual(['record', 'report']));
  it('offers the flags of a run', () => expect(offered('--dr')).toEqual(['--driver', '--drop-all']));
  it('offers the flags of a command, and no others', () => {
    expect(offered('prune', '--d')).toEqual(['--dry-run']);
    expect(offered('--no-color', 'query', '--t')).toEqual(['--timeout']);
  });
  it('offers the values of a flag', () => {
    expect(offered('--driver', '')).toEqual(['auto', 'libpcap', 'tcpdump', 'cap']);
    expect(offered('--driver', '=', 't')).toEqual(['tcpdump']);
    expect(offered('--units', '=')).toEqual(['bytes', 'bytes-decimal', 'bits', 'bits-binary']);
    expect(offered('history', '--since', 'y')).toEqual(['yesterday', 'year']);
  });
  it('offers interfaces and users', () => {
    expect(offered('-i', '')).toEqual(expect.arrayContaining(['any', expect.stringMatching(/^lo0?$/)]));
    expect(offered('--user', 'roo')).toContain('root');
  });
  it('offers files', () => {
    expect(offered('-r', 'tr')).toEqual(['trace one.pcap']);
    expect(offered('--history', '=', 'tr')).toEqual(['trace one.pcap']);
    expect(offered('--history', 'tr')).toEqual([]);
  });
  it('offers a file after the word of a command that takes one', () => {
    expect(offered('policy', '')).toEqual(['init', 'check']);
    expect(offered('policy', 'check', 'tr')).toEqual(['trace one.pcap']);
    expect(offered('policy', 'check', 'x', 'tr')).toEqual([]);
  });
  it('offers the shells once', () => {
    expect(offered('completions', '')).toEqual(SHELLS);
    expect(offered('completions', 'bash', '')).toEqual([]);
  });
  it('offers nothing where text of any kind may stand', () => {
    expect(offered('query', '')).toEqual([]);
    expect(offered('--bpf', '')).toEqual([]);
  });
  it('offers themes, and files where a path begins', () => {
    expect(offered('--theme', 'd')).toEqual(['dusk']);
    expect(offered('--theme', './tr')).toEqual(['./trace one.pcap']);
  });
  it('offers the fields of a filter, at its last word', () => {
    expect(offered('-f', 'rx')).toEqual(['rx:', 'rxrate:']);
    expect(offered('history', '--filter', '=', 'ap')).toEqual(['app:', 'application:']);
    expect(offered('-f', "'app:curl or (!cat")).toEqual(['app:curl or (!category:']);
    expect(offered('-f', 'clo')).toEqual(['closed']);
  });
  it('offers the values of a field, split off by bash or within quotes', () => {
    expect(offered('-f', 'dir', ':')).toEqual(['outbound', 'inbound', 'local', 'transit']);
    expect(offered('--filter', '=', 'proto', ':', 'icmp')).toEqual(['icmp', 'icmpv6']);
    expect(offered('-f', "'app:curl dir:in")).toEqual(['app:curl dir:inbound']);
    expect(offered('-f', 'iface', ':', 'lo')).toEqual([expect.stringMatching(/^lo0?$/)]);
    expect(offered('-f', 'app', ':', '')).toEqual([]);
    expect(offered('--bpf', 'dir', ':', 'in')).toEqual([]);
  });
});

const ASK_ZSH = fileURLToPath(new URL('../../support/ask-completions.zsh', import.meta.url));

/** What zsh offers at the end of a line. @param file with the completions; empty for those in its path of functions */
function offeredByZsh(typed: string, file = join(folder, 'completions.zsh')): string[] {
  writeFileSync(join(folder, 'completions.zsh'), completions('zsh'));
  const { stdout } = spawnSync('zsh', ['-f', ASK_ZSH, file, folder, typed], { encoding: 'utf8', timeout: 30_000 });
  return stdout.split(/\r?\n/).filter((line) => line !== '');
}

/** What fish offers at the end of a line. */
function offeredByFish(typed: string): string[] {
  const file = join(folder, 'completions.fish');
  writeFileSync(file, completions('fish'));
  const { stdout, stderr } = spawnSync('fish', ['--no-config', '-c', `source ${file}; complete -C '${typed}'`], {
    encoding: 'utf8',
    cwd: folder,
    env: { ...process.env, HOME: folder },
  });
  expect(stderr).toBe('');
  return stdout.split('\n').flatMap((line) => (line === '' ? [] : [line.split('\t')[0] as string]));
}

describe.each([
  ['zsh', offeredByZsh],
  ['fish', offeredByFish],
] as const)('%s', (shell, ask) => {
  test.skipIf(missing(shell))('offers commands, flags, their values, interfaces and files', { timeout: 120_000 }, () => {
    expect(ask('netmon-tui ')).toEqual(expect.arrayContaining(COMMAND_NAMES.slice(1)));
    expect(ask('netmon-tui re').toSorted()).toEqual(['record', 'report']);
    expect(ask('netmon-tui --dr').toSorted()).toEqual(['--driver', '--drop-all']);
    expect(ask('netmon-tui prune --d')).toEqual(['--dry-run']);
    expect(ask('netmon-tui --driver ').toSorted()).toEqual(['auto', 'cap', 'libpcap', 'tcpdump']);
    expect(ask('netmon-tui completions ').toSorted()).toEqual([...SHELLS].toSorted());
    expect(ask('netmon-tui -i ')).toEqual(expect.arrayContaining(['any', expect.stringMatching(/^lo0?$/)]));
    expect(ask('netmon-tui -r tr').join()).toContain('trace');
    expect(ask('netmon-tui query ')).toEqual([]);
    expect(ask('netmon-tui help re').toSorted()).toEqual(['record', 'report']);
    expect(ask('netmon-tui --average ').toSorted()).toEqual(['10s', '2s', '40s']);
    expect(ask('netmon-tui --theme d')).toContain('dusk');
  });

  test.skipIf(missing(shell))('offers fields of a filter and their values', { timeout: 120_000 }, () => {
    const ends = (typed: string) => ask(typed).map((text) => text.replace(/^.*[ (!=]/, '').replace(/:$/, ''));
    expect(ends('netmon-tui -f rx').toSorted()).toEqual(['rx', 'rxrate']);
    expect(ends('netmon-tui history --filter=retr')).toEqual(['retransmits']);
    expect(ends(`netmon-tui -f "app:curl or (!cat`)).toEqual(['category']);
    const values = (typed: string) => ends(typed).map((text) => text.replace(/^.*:/, ''));
    expect(values('netmon-tui -f dir:').toSorted()).toEqual(['inbound', 'local', 'outbound', 'transit']);
    expect(values(`netmon-tui -f "app:curl dir:in`)).toEqual(['inbound']);
    expect(values('netmon-tui -f iface:lo')).toEqual([expect.stringMatching(/^lo0?$/)]);
    expect(values('netmon-tui -f app:')).toEqual([]);
  });
});

test.skipIf(missing('zsh'))('zsh finds them in its path of functions too, from the first word on', { timeout: 60_000 }, () => {
  mkdirSync(join(folder, 'functions'), { recursive: true });
  writeFileSync(join(folder, 'functions', '_netmon-tui'), completions('zsh'));
  expect(offeredByZsh('netmon-tui pr', '')).toEqual(['prune']);
});

for (const shell of SHELLS) if (missing(shell)) console.log(`skipped, ${shell} reading its completions: it is not installed`);

test.each(SHELLS.filter((shell) => !missing(shell)))('%s reads its own without complaint', (shell) => {
  const file = join(folder, `completions.${shell}`);
  writeFileSync(file, completions(shell));
  const { status, stderr } = spawnSync(shell, ['-n', file], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
});

test.each(SHELLS)('%s knows every listed flag and every command', (shell) => {
  const text = completions(shell);
  for (const { name, help } of FLAGS)
    if (help !== null) expect(text).toMatch(new RegExp(shell === 'fish' ? `-l ${name}\\b` : `--${name}\\b`));
  for (const name of COMMAND_NAMES.slice(1)) expect(text).toMatch(new RegExp(`\\b${name}\\b`));
});
