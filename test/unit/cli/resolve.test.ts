import { describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../../src/cli/command-line.ts';
import { loadConfig } from '../../../src/cli/config/config.ts';
import { resolveOptions } from '../../../src/cli/resolve.ts';
import { NetmonError } from '../../../src/model/errors.ts';
import type { Options } from '../../../src/model/options.ts';

async function options(words: string[], env: Record<string, string> = {}): Promise<Options> {
  const line = parseCommandLine(words);
  const files = { folderOwner: () => null, read: () => ({ kind: 'missing' }) as const };
  return resolveOptions(line, await loadConfig(line, { platform: 'linux', env, euid: 501, passwd: () => '', files }));
}

describe('resolveOptions', () => {
  it('gives every option of a plain run', async () => {
    expect(await options([])).toEqual({
      interfaces: [],
      read: null,
      speed: 1,
      filter: null,
      bpf: null,
      intervalMs: 1000,
      headless: false,
      why: null,
      stream: false,
      json: false,
      once: false,
      durationMs: null,
      samples: null,
      dns: false,
      lineage: false,
      driver: 'auto',
      names: true,
      reverseDns: false,
      history: null,
      screen: { savedState: null, owner: null },
      budget: null,
      notify: { terminal: 'notify', pacing: { quiet: null, most: 20, perMs: 3_600_000 }, plan: null },
      reduced: false,
      privileges: { user: null, dropAll: false, stayRoot: false, sandbox: false },
      theme: 'auto',
      units: 'bytes',
      average: null,
      lite: null,
      ascii: false,
      color: true,
      mouse: null,
      categories: {},
      place: { country: null, asn: null, home: null },
      exitCode: false,
      exports: null,
      policy: null,
      keys: {},
      log: null,
      packets: { whole: false, keep: null, write: null, onAlert: null },
      watch: { learnMs: 86_400_000, uploadFloor: 200_000_000, kinds: {}, rules: [] },
      command: null,
      session: null,
      attach: null,
    });
  });

  it('takes a session to follow, and where its receipt goes', async () => {
    const session = async (text: string) => (await options(text.split(' '))).session;
    expect(await session('--session 4711')).toEqual({ pid: 4711, receipt: null, format: 'text', force: false });
    const asked = { pid: 4711, receipt: 'r.json', format: 'json', force: true };
    expect(await session('--session 4711 --receipt r.json --force --duration 10s')).toEqual(asked);
    await expect(options(['--receipt', 'r.json'])).rejects.toThrow('--receipt goes only with --session, or with run');
    await expect(options(['--session', '4711', '--force'])).rejects.toThrow('--force goes only with --receipt');
    await expect(options(['--session', '4711', '--once'])).rejects.toThrow('--session does not go with --once');
    await expect(options(['--session', '4711', '--read', 'a.pcap'])).rejects.toThrow('--session does not go with --read');
    await expect(options(['--session', '4711', '--format', 'csv'])).rejects.toThrow('--format csv does not go with a receipt');
  });

  it('takes all flags of a live run', async () => {
    const words =
      '-i en0 -i en1 -i en0 --json --duration 1m --samples 5 --interval 250ms -f app:curl --driver cap -n --no-mouse --units bits --average 40s'.split(
        ' ',
      );
    expect(await options([...words, '--bpf', 'tcp port 443'])).toMatchObject({
      interfaces: ['en0', 'en1'],
      json: true,
      durationMs: 60_000,
      samples: 5,
      intervalMs: 250,
      filter: 'app:curl',
      bpf: 'tcp port 443',
      driver: 'cap',
      names: false,
      mouse: false,
      units: 'bits',
      average: 40,
    });
  });

  it('leaves live settings from elsewhere out of a replay', async () => {
    const replay = await options(['-r', '-', '--speed', '0'], {
      NETMON_INTERFACE: 'en0',
      NETMON_BPF: 'tcp',
      NETMON_FILTER: 'tcp',
    });
    expect(replay).toMatchObject({ read: '-', speed: 0, interfaces: [], bpf: null, filter: 'tcp' });
    expect((await options(['-r', 'x', '--once'])).speed).toBe(0);
    expect((await options(['-r', 'x', '--once', '--speed', '0'])).speed).toBe(0);
    expect((await options(['-r', 'x', '--speed', '2.5'])).speed).toBe(2.5);
  });

  it('looks nothing up unless it is told to, and never in a replay', async () => {
    expect((await options([])).reverseDns).toBe(false);
    expect((await options(['--reverse-dns'])).reverseDns).toBe(true);
    expect((await options([], { NETMON_REVERSE_DNS: '1' })).reverseDns).toBe(true);
    expect((await options(['--no-reverse-dns'], { NETMON_REVERSE_DNS: '1' })).reverseDns).toBe(false);
    expect((await options(['-r', 'x'], { NETMON_REVERSE_DNS: '1' })).reverseDns).toBe(false);
  });

  it('records without a screen, at a slower beat unless told otherwise', async () => {
    const plain = await options(['record', '--history=/x/h.sqlite', '--duration', '10s']);
    expect(plain).toMatchObject({
      headless: true,
      intervalMs: 5000,
      durationMs: 10_000,
      history: { path: '/x/h.sqlite', record: true },
    });
    expect((await options(['record', '--history=/x/h.sqlite', '--interval', '1s'])).intervalMs).toBe(1000);
    expect((await options(['record', '--history=/x/h.sqlite'], { NETMON_HISTORY: '0' })).history?.record).toBe(true);
  });

  it('writes packets while it records, and filters nothing else', async () => {
    const record = ['record', '--history=/x/h.sqlite'];
    const both = await options([...record, '--write', 'a.pcapng', '--rotate', '100MB', '--keep', '5', '-f', 'app:curl']);
    expect(both).toMatchObject({ headless: true, filter: 'app:curl' });
    expect(both.packets.write).toMatchObject({ path: 'a.pcapng', most: 5, force: false });
    expect((await options(record, { NETMON_FILTER: 'app:curl' })).filter).toBeNull();
    await expect(options([...record, '-f', 'app:curl'])).rejects.toThrow('--filter goes only with --write here');
    await expect(options([...record, '--rotate', '1m'])).rejects.toMatchObject({
      hint: expect.stringContaining('netmon-tui record --write trace.pcapng --rotate 1m'),
    });
    await expect(options([...record, '--write', 'a', '--install', 'systemd'])).rejects.toThrow('does not go with --install');
  });

  it('keeps packets for a time, up to a size, or both', async () => {
    const kept = async (text: string) => (await options(['--keep-packets', text])).packets.keep;
    expect(await kept('60s')).toEqual({ bytes: 64 << 20, forMs: 60_000 });
    expect(await kept('200MB')).toEqual({ bytes: 200e6, forMs: null });
    expect(await kept('10m, 1GiB')).toEqual({ bytes: 1 << 30, forMs: 600_000 });
    expect((await options([], { NETMON_KEEP_PACKETS: '1GB,5m' })).packets.keep).toEqual({ bytes: 1e9, forMs: 300_000 });
    expect((await options(['-r', 'x', '--keep-packets', '60s'], { NETMON_SNAP: 'full' })).packets).toEqual({
      whole: false,
      keep: { bytes: 64 << 20, forMs: 60_000 },
      write: null,
      onAlert: null,
    });
    expect((await options(['--snap', 'full'])).packets.whole).toBe(true);
  });

  it.each(['60', '0s', '25h', '3GB', '1kB', '60s,60s', '1MB,2MB', '60s,', 'all', ''])('keeps nothing for %j', async (text) => {
    await expect(options(['--keep-packets', text])).rejects.toThrow('is not a time from 1s to 24h, a size from');
  });

  it('writes packets to a file, with the screen or without', async () => {
    const write = async (text: string) => (await options(text.split(' '))).packets.write;
    const plain = { path: 'x.pcapng', force: false, rotate: null, most: null, isAlone: false };
    expect(await write('-w x.pcapng')).toEqual(plain);
    expect(await write('--write x.pcapng --force --json')).toEqual({ ...plain, force: true });
    expect(await write('-w x.pcapng --rotate 100MB --keep 10')).toMatchObject({ rotate: { bytes: 100e6, ms: null }, most: 10 });
    expect(await write('-w x.pcapng --rotate 10m')).toMatchObject({ rotate: { bytes: null, ms: 600_000 } });
    expect(await write('-w -')).toMatchObject({ path: '-', isAlone: true });
    expect(await write('-w x.pcapng --duration 10s')).toMatchObject({ isAlone: true });
    expect(await write('-w x.pcapng --duration 10s --once')).toMatchObject({ isAlone: false });
    expect(await write('-r a -w x.pcapng --speed 1')).toMatchObject({ isAlone: false });
    expect(await options(['-r', 'a', '-w', 'x'])).toMatchObject({ speed: 0, packets: { write: { isAlone: true } } });
  });

  it('lets --once last as long as --duration says', async () => {
    expect(await options(['--once', '--duration', '10s'])).toMatchObject({ once: true, json: false, durationMs: 10_000 });
  });

  it.each([
    [['-r', 'x', '-i', 'en0'], '--interface does not go with --read'],
    [['-r', 'x', '--bpf', 'tcp'], '--bpf does not go with --read'],
    [['-r', 'x', '--driver', 'cap'], '--driver does not go with --read'],
    [['-r', 'x', '--snap', 'full'], '--snap does not go with --read'],
    [
      ['--keep-packets', '60'],
      '--keep-packets "60" is not a time from 1s to 24h, a size from 1 MB to 2 GB, or both, such as "60s", "200MB" or "10m,1GB"',
    ],
    [['-r', 'x', '--reverse-dns'], '--reverse-dns does not go with --read'],
    [['-r', ''], '--read needs a file'],
    [['--speed', '2'], '--speed goes only with --read'],
    [['-r', 'x', '--speed', '-1'], '--speed "-1" is not 0 or a number from 0.001 to 1000000'],
    [['-r', 'x', '--speed', '1e3'], '--speed "1e3" is not 0 or a number from 0.001 to 1000000'],
    [['-r', 'x', '--speed', '0.0001'], '--speed "0.0001" is not 0 or a number from 0.001 to 1000000'],
    [['-r', 'x', '--once', '--speed', '2'], '--speed does not go with --once'],
    [['-r', 'x', '--once', '--duration', '2s'], '--duration does not go with --read and --once'],
    [['--samples', '3'], '--samples does not go with the screen'],
    [['--write', ''], '--write needs a file'],
    [['--rotate', '10m'], '--rotate goes only with --write'],
    [['--keep', '3'], '--keep goes only with --write'],
    [['--force'], '--force goes only with --write'],
    [['-w', 'x', '--keep', '3'], '--keep goes only with --rotate'],
    [['-w', '-', '--json'], '--write - and --json or --once both write to standard output'],
    [['-w', '-', '--rotate', '10m'], '--rotate does not go with --write -'],
    [['-w', 'x', '--reduced'], '--write does not go with --reduced'],
    [['-w', 'x', '-r', 'x'], '--write would write over what --read reads'],
    [
      ['-w', 'x', '--rotate', '10'],
      '--rotate "10" is not a size from 10 kB to 1 PB or a time from 1s to 366d, such as "100MB" or "10m"',
    ],
    [['--dns'], '--dns goes only with --json'],
    [['--lineage'], '--lineage goes only with --json'],
    [['--dns', '--json', '--once'], '--dns does not go with --once'],
    [['--samples', '3', '--once'], '--samples does not go with --once'],
    [['--samples', '0', '--json'], '--samples "0" is not a whole number from 1 to 1000000000'],
    [['--samples', '2.5', '--json'], '--samples "2.5" is not a whole number from 1 to 1000000000'],
    [['--duration', '3s'], '--duration does not go with the screen'],
    [['--duration', '3', '--json'], '--duration "3" is not a duration from 100ms to 366d'],
    [['--interval', '2h'], '--interval "2h" is not a duration from 100ms to 1h'],
    [['--policy', 'p', '--no-alerts'], '--no-alerts does not go with --policy'],
    [['--read', 'x', '--exit-code'], '--exit-code without alerts tells nothing'],
    [['--theme', ''], '--theme "" is not the name or the path of a theme'],
    [['--average', '5s'], '--average "5s" is not one of 2s, 10s, 40s'],
    [['--units', 'KB'], '--units "KB" is not one of bytes, bytes-decimal, bits, bits-binary'],
    [['--filter', 'a\u0000b'], '--filter "ab" is not a filter of one line'],
    [
      ['-i', 'x'.repeat(200)],
      `--interface "${'x'.repeat(60)}..." is not the name of an interface, or several (\`any\` stands alone)`,
    ],
  ])('refuses %j', async (words, message) => {
    try {
      await options(words);
    } catch (thrown) {
      expect(thrown).toBeInstanceOf(NetmonError);
      const { code, hint, message: text } = thrown as NetmonError;
      expect(text).toBe(message);
      expect(code).toBe('usage');
      expect(hint).not.toBeNull();
      return;
    }
    throw new Error('accepted');
  });
});

describe('why', () => {
  const of = (...words: string[]) => options(['why', ...words]);

  it('measures a host for ten seconds, and records, watches and filters nothing', async () => {
    expect(await of('https://Example.COM/path')).toMatchObject({
      ...{ why: 'example.com', durationMs: 10_000, history: null, watch: null, filter: null },
      packets: { keep: null },
    });
    expect(await of('[2001:DB8::1]:443', '--duration', '1m')).toMatchObject({ why: '2001:db8::1', durationMs: 60_000 });
    expect(await of('bücher.example')).toMatchObject({ why: 'xn--bcher-kva.example' });
  });

  it('reads a file to its end, as fast as it can', async () => {
    expect(await of('example.com', '--read', 'x.pcap')).toMatchObject({ read: 'x.pcap', speed: 0, durationMs: null });
  });

  it('refuses what is no host', async () => {
    await expect(of('not a host')).rejects.toThrow('"not a host" is not a host');
  });
});

describe('the machines of attach', () => {
  it('are hosts as ssh takes them, each once', async () => {
    expect((await options(['attach', 'ann@mac1', 'db3', 'ann@mac1'])).attach).toEqual({
      machines: ['ann@mac1', 'db3'],
      ssh: 'ssh',
      task: 'show',
      yes: false,
    });
    expect((await options(['attach', 'db3', '-f', 'app:curl', '--units', 'bits'])).filter).toBe('app:curl');
  });

  it('are those of a group by its name', async () => {
    const line = parseCommandLine(['attach', 'office', 'db3']);
    const text = '[attach]\noffice = ["mac1", "db3"]\n';
    const files = { folderOwner: () => 501, read: () => ({ kind: 'read', uid: 501, mode: 0o600, isFile: true, text }) as const };
    const config = await loadConfig(line, { platform: 'linux', env: { HOME: '/home/ann' }, euid: 501, passwd: () => '', files });
    expect(resolveOptions(line, config).attach?.machines).toEqual(['mac1', 'db3']);
  });

  it('are those that are to have a copy, or to have none any more', async () => {
    expect((await options(['attach', '--install', 'mac1', 'db3', '--yes'])).attach).toMatchObject({
      machines: ['mac1', 'db3'],
      task: 'install',
      yes: true,
    });
    expect((await options(['attach', '--uninstall', 'mac1'])).attach).toMatchObject({ machines: ['mac1'], task: 'uninstall' });
    await expect(options(['attach', 'mac1', '--yes'])).rejects.toThrow('--yes goes only with');
  });

  it('are never options of ssh, and not more than a screen takes', async () => {
    await expect(options(['attach', 'a b'])).rejects.toThrow('"a b" is not a host');
    await expect(options(['attach', '--', '-oProxyCommand=reboot'])).rejects.toThrow(NetmonError);
    await expect(options(['attach'])).rejects.toThrow('attach needs a host');
    await expect(options(['attach', ...Array.from({ length: 65 }, (_, i) => `m${i}`)])).rejects.toThrow('65 machines');
  });
});
