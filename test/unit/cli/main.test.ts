import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const bin = join(root, 'bin/netmon-tui.js');
const built = join(root, 'dist/bundle/main.cjs');

/** Why the built program can't be tried, or null. A build older than its sources would answer for other sources. */
function unbuilt(): string | null {
  if (!existsSync(built)) return 'it is not built: npm run build';
  const time = statSync(built).mtimeMs;
  const sources = ['src', 'src/cli'].flatMap((folder) => readdirSync(join(root, folder)).map((name) => join(root, folder, name)));
  const newer = sources.find((path) => path.endsWith('.ts') && statSync(path).mtimeMs > time);
  return newer === undefined ? null : `it is older than ${newer}: npm run build`;
}

const reason = unbuilt();
if (reason !== null) console.log(`skipped, the program itself: ${reason}`);

let home = '';
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'netmon-main-'));
});
afterAll(() => rmSync(home, { recursive: true }));

function netmon(words: string[], env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...words], {
    encoding: 'utf8',
    timeout: 20_000,
    env: { PATH: '/usr/bin:/bin', HOME: home, ...env },
  });
  return { status, stdout, stderr };
}

describe.skipIf(reason !== null)('netmon-tui', () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

  it('answers -V and -h', () => {
    const asked = netmon(['-V']);
    expect({ ...asked, stdout: '' }).toEqual({ status: 0, stdout: '', stderr: '' });
    const [first, ...others] = asked.stdout.split('\n');
    expect(first).toBe(`netmon-tui ${version}`);
    const { node } = process.versions;
    expect(others.filter((line) => !/^commit [0-9a-f]{7,40}(-dirty)?$/.test(line))).toEqual([
      `node ${node} ${process.platform} ${process.arch}`,
      expect.stringMatching(/^libpcap (not found|[\w. -]*\d.*)$/),
      expect.stringMatching(/^owners \S/),
      '',
    ]);
    const help = netmon(['--help']);
    expect(help.status).toBe(0);
    expect(help.stdout).toContain('Exit status:');
  });

  it('loads no library for -h, --print-config and mistakes', () => {
    for (const words of [['-h'], ['--print-config'], ['--jsn'], ['-V']]) {
      const script = join(home, 'probe.cjs');
      // The libraries of koffi and cap are all that the bundle loads after its start.
      writeFileSync(
        script,
        "const { dlopen } = process; process.dlopen = (m, path) => { console.error('LOADED ' + path); dlopen(m, path); };",
      );
      const { stderr } = netmon(words, { NODE_OPTIONS: `--require ${script}` });
      expect(stderr.includes('LOADED'), words[0]).toBe(words[0] === '-V');
    }
  });

  it('has of blessed-contrib the grid and the sparkline, and nothing of what else that depends on', () => {
    const packages = JSON.parse(readFileSync(join(root, 'dist/bundle/packages.json'), 'utf8')) as string[];
    const { dependencies } = JSON.parse(readFileSync(join(root, 'node_modules/blessed-contrib/package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    expect(packages).toContain('blessed-contrib');
    // chalk is ours, and newer
    expect(packages.filter((name) => name in dependencies && name !== 'chalk')).toEqual(['sparkline', 'x256']);
  });

  it('starts from what V8 compiled of it when it was built by this Node', () => {
    const look = `const { readFileSync } = require('node:fs'), source = readFileSync(process.argv[1], 'latin1');
      const cachedData = readFileSync(process.argv[1] + '.cache').subarray(source.indexOf('\\n') + 4);
      const { cachedDataRejected } = new (require('node:vm').Script)(source, { filename: process.argv[1], cachedData });
      console.log(cachedDataRejected);`;
    expect(spawnSync(process.execPath, ['-e', look, built], { encoding: 'utf8' }).stdout).toBe('false\n');
  });

  it('starts without what V8 compiled where that is broken or of another build', () => {
    const clone = join(home, 'clone');
    for (const part of ['bin', 'dist']) cpSync(join(root, part), join(clone, part), { recursive: true });
    const cache = join(clone, 'dist/bundle/main.cjs.cache');
    const whole = readFileSync(cache);
    const line = 2 + 64; // the hash of the build
    const broken = Buffer.from(whole);
    broken.fill(0x55, 5000);
    const other = Buffer.from(whole);
    other.fill('0', 2, line);
    for (const bytes of [broken, other, whole.subarray(0, 9000), whole.subarray(0, line + 1), Buffer.alloc(0)]) {
      writeFileSync(cache, bytes);
      const { status, stdout } = spawnSync(process.execPath, [join(clone, 'bin/netmon-tui.js'), '--help'], { encoding: 'utf8' });
      expect([status, stdout]).toEqual([0, expect.stringContaining('netmon-tui')]);
    }
  });

  it('says what is wrong in two lines, with status 2 and no stack', () => {
    expect(netmon(['--jsn'])).toEqual({
      status: 2,
      stdout: '',
      stderr: 'netmon-tui: unknown option "--jsn"\n  did you mean --json?\n',
    });
    expect(netmon(['-r', 'x', '-i', 'y']).stderr.split('\n')).toHaveLength(3);
    expect(netmon([], { NETMON_UNITS: 'KB' })).toMatchObject({ status: 2, stdout: '' });
  });

  it('prints the configuration in force', () => {
    const file = join(home, 'own.toml');
    writeFileSync(file, 'units = "bits"\n', { mode: 0o600 });
    const { status, stdout } = netmon(['--print-config', '--config', file, '--ascii'], { NETMON_THEME: 'light' });
    expect(status).toBe(0);
    expect(stdout).toContain(`units = "bits"                  # ${file}:1\n`);
    expect(stdout).toContain('theme = "light"                 # NETMON_THEME\n');
    expect(stdout).toContain('ascii = true                    # flag --ascii\n');
  });

  it('waits for a statement that comes late, on a descriptor that does not block', () => {
    const database = join(home, 'none.sqlite');
    const late = `(sleep 0.3; echo "SELECT 1") | "${process.execPath}" "${bin}" query - --history=${database}`;
    const nonBlocking = `import os,sys,time,subprocess
r, w = os.pipe()
os.set_blocking(r, False)
child = subprocess.Popen(sys.argv[1:], stdin=r, stderr=subprocess.PIPE)
time.sleep(0.3)
os.write(w, b'SELECT 1')
os.close(w)
print(child.communicate()[1].decode())`;
    const env = { PATH: '/usr/bin:/bin', HOME: home };
    expect(spawnSync('/bin/sh', ['-c', late], { encoding: 'utf8', env }).stderr).toContain('nothing is recorded yet');
    const words = ['-c', nonBlocking, process.execPath, bin, 'query', '-', `--history=${database}`];
    const { stdout, error } = spawnSync('python3', words, { encoding: 'utf8', env: { ...env, PATH: process.env['PATH'] ?? '' } });
    if (error === undefined) expect(stdout).toContain('nothing is recorded yet');
    else console.log('skipped, standard input that does not block: there is no python3');
  });

  it('says so where the folder that it was started in is gone, and works without it', () => {
    const inGone = (...words: string[]) => {
      const folder = mkdtempSync(join(home, 'gone-'));
      const command = `cd "${folder}" && rmdir "${folder}" && exec "${process.execPath}" "${bin}" "$@"`;
      return spawnSync('/bin/sh', ['-c', command, 'sh', ...words], {
        encoding: 'utf8',
        timeout: 20_000,
        env: { PATH: '/usr/bin:/bin', HOME: home },
      });
    };
    expect(inGone('--read', 'x.pcap', '--once')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('no such file: x.pcap'),
    });
    expect(inGone('history', '--history=h.sqlite').stderr).toContain('the current folder was removed');
    expect(inGone('query', 'SELECT 1', `--history=${join(home, 'none.sqlite')}`).stderr).toContain('nothing is recorded yet');
    expect(inGone('record', '--install', 'systemd', '--output', 'x').stderr).toContain('the current folder was removed');
    expect(inGone('record', '--install', 'systemd').stdout).toContain('ExecStart=');
  });

  it('ends with 0 when the reader of a pipe goes away, with 1 when the disk is full', () => {
    const shell = (command: string) =>
      spawnSync('/bin/sh', ['-c', command], { encoding: 'utf8', timeout: 20_000, env: { PATH: '/usr/bin:/bin', HOME: home } });
    const node = `'${process.execPath}' '${bin}'`;
    expect(shell(`{ ${node} --help; echo $? >&2; } | true`).stderr).toBe('0\n');
    if (!existsSync('/dev/full')) return;
    const full = shell(`${node} --help > /dev/full`);
    expect(full.status).toBe(1);
    expect(full.stderr).toMatch(/^netmon-tui: standard output can't be written: ENOSPC\n {2}.*\n$/);
  });

  it('lists the interfaces without rights', () => {
    const { status, stdout } = netmon(['interfaces', '--json']);
    expect(status).toBe(0);
    const names = stdout
      .trimEnd()
      .split('\n')
      .map((text) => (JSON.parse(text) as { name: string }).name);
    expect(names.some((name) => /^lo\d*$/.test(name))).toBe(true);
  });
});
