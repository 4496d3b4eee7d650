import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../../../src/cli/command-line.ts';
import { type Config, loadConfig } from '../../../../src/cli/config/config.ts';
import { configText } from '../../../../src/cli/config/print-config.ts';
import { ownerOf, type Surroundings } from '../../../../src/cli/config/surroundings.ts';
import { resolveOptions } from '../../../../src/cli/resolve.ts';
import { ALERT_KINDS } from '../../../../src/model/alert.ts';
import { NetmonError } from '../../../../src/model/errors.ts';
import { HTTP_ENGINES } from '../../../../src/model/export.ts';
import { type FileRead, systemFiles } from '../../../../src/system/files.ts';
import { SEVERITY_OF } from '../../../../src/watch/watchman.ts';

type FakeFile = string | { text?: string; uid?: number; mode?: number; isFile?: boolean; link?: boolean; failure?: string };

const PASSWD = 'root:x:0:0:root:/root:/bin/sh\nann:x:501:20:Ann:/home/ann:/bin/sh\nbroken\n';

/** Another machine: files by path (owned by 501 unless they say so), folders by owner. */
function machine(part: {
  platform?: NodeJS.Platform;
  euid?: number;
  env?: Record<string, string>;
  passwd?: string;
  files?: Record<string, FakeFile>;
  folders?: Record<string, number>;
}): Surroundings {
  return {
    platform: part.platform ?? 'linux',
    env: part.env ?? { HOME: '/home/ann' },
    euid: part.euid ?? 501,
    passwd: () => part.passwd ?? PASSWD,
    files: {
      folderOwner: (path) => part.folders?.[path] ?? null,
      read(path, follow): FileRead {
        const file = part.files?.[path];
        if (file === undefined) return { kind: 'missing' };
        if (typeof file === 'string') return { kind: 'read', uid: 501, mode: 0o100644, isFile: true, text: file };
        if (file.link === true && !follow) return { kind: 'link' };
        if (file.failure !== undefined) return { kind: 'failed', reason: file.failure };
        return {
          kind: 'read',
          uid: file.uid ?? 501,
          mode: file.mode ?? 0o100644,
          isFile: file.isFile ?? true,
          text: file.text ?? '',
        };
      },
    },
  };
}

const ANN = '/home/ann/.config/netmon-tui/config.toml';
const load = (words: string[], surroundings: Surroundings): Promise<Config> => loadConfig(parseCommandLine(words), surroundings);
const withFile = (text: FakeFile, words: string[] = []) => load(words, machine({ files: { [ANN]: text } }));

async function refusal(run: () => Promise<unknown>): Promise<NetmonError> {
  try {
    await run();
  } catch (thrown) {
    if (thrown instanceof NetmonError) return thrown;
    throw thrown;
  }
  throw new Error('accepted');
}

const ENGINE_KEYS = ['url', 'user', 'secret-file', 'ca'];

describe('order', () => {
  const file = { [ANN]: 'interval = "3s"\nunits = "bits"\ninterface = ["a", "b"]\ntheme = "light"\nmouse = false\n' };
  const env = { HOME: '/home/ann', NETMON_INTERVAL: '2s', NETMON_INTERFACE: 'c, d', NETMON_THEME: '', NETMON_ASCII: 'yes' };

  it('is flag, variable, file, default, and each value says which', async () => {
    const { settings } = await load(['--interval', '500ms', '--no-names'], machine({ env, files: file }));
    expect(settings.interval).toEqual({ value: 500, origin: 'flag --interval' });
    expect(settings.interface).toEqual({ value: ['c', 'd'], origin: 'NETMON_INTERFACE' });
    expect(settings.units).toEqual({ value: 'bits', origin: `${ANN}:2` });
    expect(settings.theme).toEqual({ value: 'light', origin: `${ANN}:4` });
    expect(settings.mouse).toEqual({ value: false, origin: `${ANN}:5` });
    expect(settings.names).toEqual({ value: false, origin: 'flag --no-names' });
    expect(settings.ascii).toEqual({ value: true, origin: 'NETMON_ASCII' });
    expect(settings.driver).toEqual({ value: 'auto', origin: 'default' });
  });

  it('has documented defaults where nothing is set', async () => {
    const { settings, path } = await load([], machine({}));
    expect(path).toBeNull();
    expect(Object.fromEntries(Object.entries(settings).map(([name, { value }]) => [name, value]))).toEqual({
      interface: [],
      interval: 1000,
      bpf: null,
      driver: 'auto',
      filter: null,
      theme: 'auto',
      units: 'bytes',
      average: null,
      lite: null,
      ascii: false,
      color: true,
      mouse: null,
      names: true,
      'reverse-dns': false,
      log: null,
      'log-level': 'info',
      policy: null,
      'history.enabled': false,
      'history.path': null,
      'history.size': 200_000_000,
      'budget.amount': null,
      'budget.day': 1,
      'budget.interface': null,
      'alerts.enabled': true,
      'alerts.learn': 86_400_000,
      'alerts.upload-floor': 200_000_000,
      ...Object.fromEntries(ALERT_KINDS.map((kind) => [`alerts.${kind}`, null])),
      'notify.terminal': 'notify',
      'notify.desktop': false,
      'notify.command': [],
      'notify.webhook': null,
      'notify.webhook-format': null,
      'notify.webhook-token': null,
      'notify.webhook-ca': null,
      'notify.syslog': false,
      'notify.quiet': null,
      'notify.rate': { most: 20, perMs: 3_600_000 },
      'export.fields': [],
      'export.hash': [],
      ...Object.fromEntries(HTTP_ENGINES.flatMap((engine) => ENGINE_KEYS.map((key) => [`export.${engine}.${key}`, null]))),
      'export.ipfix.to': null,
      'export.prometheus.listen': null,
      'packets.keep': null,
      'packets.snap': 'auto',
      'packets.on-alert': false,
      'packets.folder': null,
      'packets.folder-size': 500_000_000,
      'packets.folder-age': 30 * 86_400_000,
      'place.country': null,
      'place.asn': null,
    });
  });

  it('writes how packets are kept as it reads it', async () => {
    for (const text of ['90s', '200MB', '10m,1000MB']) {
      const config = await withFile(`[packets]\nkeep = "${text}"\n`);
      expect(configText(config, '1')).toContain(`keep = "${text}"`);
    }
  });

  it('freezes packets on alerts only where some are kept', async () => {
    const onAlert = async (text: string) => resolveOptions(parseCommandLine([]), await withFile(text)).packets.onAlert;
    expect(await onAlert('[packets]\non-alert = true\n')).toBeNull();
    expect(await onAlert('[packets]\nkeep = "60s"\n')).toBeNull();
    const folder = '/home/ann/.local/share/netmon-tui/packets';
    expect(await onAlert('[packets]\nkeep = "60s"\non-alert = true\n')).toEqual({
      folder,
      maxBytes: 500e6,
      maxAgeMs: 30 * 86_400_000,
    });
    expect(
      await onAlert('[packets]\nkeep = "60s"\non-alert = true\nfolder = "~/evidence"\nfolder-size = "1 GB"\nfolder-age = "7d"\n'),
    ).toEqual({
      folder: '/home/ann/evidence',
      maxBytes: 1e9,
      maxAgeMs: 7 * 86_400_000,
    });
  });

  it('lets a flag undo what the file says', async () => {
    const config = await withFile('ascii = true\ncolor = false\nnames = false\nfilter = "app:x"\nbpf = "tcp"', [
      '--no-ascii',
      '--color',
      '--names',
      '-f',
      '',
      '--bpf=',
    ]);
    expect(config.settings.ascii.value).toBe(false);
    expect(config.settings.color.value).toBe(true);
    expect(config.settings.names.value).toBe(true);
    expect(config.settings.filter.value).toBeNull();
    expect(config.settings.bpf.value).toBeNull();
  });

  it('takes NO_COLOR as a default that settings override', async () => {
    const noColor = { HOME: '/home/ann', NO_COLOR: '1' };
    expect((await load([], machine({ env: noColor }))).settings.color).toEqual({ value: false, origin: 'NO_COLOR' });
    expect((await load([], machine({ env: { ...noColor, NO_COLOR: '' } }))).settings.color.value).toBe(true);
    expect((await load(['--color'], machine({ env: noColor }))).settings.color.value).toBe(true);
    expect((await load([], machine({ env: { ...noColor, NETMON_COLOR: 'on' } }))).settings.color.value).toBe(true);
  });

  it('draws with ASCII where the locale is another than UTF-8, unless told otherwise', async () => {
    const latin = { HOME: '/home/ann', LANG: 'de_DE.ISO-8859-1' };
    expect((await load([], machine({ env: latin }))).settings.ascii).toEqual({ value: true, origin: 'locale' });
    expect((await load(['--no-ascii'], machine({ env: latin }))).settings.ascii.value).toBe(false);
    expect((await load([], machine({ env: { ...latin, LC_ALL: 'C.UTF-8' } }))).settings.ascii.value).toBe(false);
    expect((await load([], machine({ env: { HOME: '/home/ann' } }))).settings.ascii.value).toBe(false);
  });

  it('tells a variable that was probably meant as one of ours', async () => {
    const env = {
      HOME: '/home/ann',
      NETMON_INTERVALL: '3s',
      NETMON_REVERSE_DN: '',
      NETMON_PROBE_HOSTS: 'a',
      NETMON_LOG_LEVEL: 'info',
    };
    expect((await load([], machine({ env }))).warnings).toEqual([
      'the variable "NETMON_INTERVALL" sets nothing; did you mean NETMON_INTERVAL?',
    ]);
  });

  it('reads a path of a theme from the folder of the file, or from home', async () => {
    expect((await withFile('theme = "mine/x.theme"')).settings.theme.value).toBe('/home/ann/.config/netmon-tui/mine/x.theme');
    expect((await withFile('theme = "~/x.theme"')).settings.theme.value).toBe('/home/ann/x.theme');
    expect((await withFile('', ['--theme', './x.theme'])).settings.theme.value).toBe('./x.theme');
  });
});

describe('mistakes', () => {
  it.each([
    ['\nintervall = "1s"', `${ANN}:2: unknown key "intervall"`, 'did you mean interval? known here: interface, bpf, driver,'],
    ['interval = "5"', `${ANN}:1: "interval" is not a duration from 100ms to 1h`, 'write for example: interval = "2s"'],
    ['interval = 5', `${ANN}:1: "interval" is not a duration from 100ms to 1h`, 'write for example: interval = "2s"'],
    [
      'units = "kilobytes"',
      `${ANN}:1: "units" is not one of bytes, bytes-decimal, bits, bits-binary`,
      'write for example: units = "bits"',
    ],
    ['# a\nascii = "yes"', `${ANN}:2: "ascii" is not true or false`, 'write for example: ascii = true'],
    [
      'interface = ["any", "en0"]',
      `${ANN}:1: "interface" is not the name of an interface, or several (\`any\` stands alone)`,
      null,
    ],
    ['[history]\nenabled = 1', `${ANN}:2: "history.enabled" is not true or false`, null],
    ['history.pth = "x"', `${ANN}:1: unknown key "history.pth"`, 'did you mean path? known here: path, enabled, size'],
    ['history.size = "1 MB"', `${ANN}:1: "history.size" is not a size from 5 MB to 1 GB`, null],
    ['notify.quiet = "22-7"', `${ANN}:1: "notify.quiet" is not a time of the day, such as "22:00-07:00"`, null],
    ['notify.quiet = "24:00-07:00"', `${ANN}:1: "notify.quiet" is not a time of the day`, null],
    ['notify.quiet = "07:00-7:00"', `${ANN}:1: "notify.quiet" is not a time of the day`, null],
    ['notify.rate = "0 per hour"', `${ANN}:1: "notify.rate" is not a number of messages in a time`, null],
    ['notify.command = ""', `${ANN}:1: "notify.command" is not a program and its arguments`, null],
    ['notify.webhook = "ftp://x/"', `${ANN}:1: "notify.webhook" is not an address that begins with https:// or http://`, null],
    ['notify.webhook-token = "a b"', `${ANN}:1: "notify.webhook-token" is not a token without spaces`, null],
    ['place.country = ""', `${ANN}:1: "place.country" is not the path of an MMDB file`, null],
    ['place.contry = "x"', `${ANN}:1: unknown key "place.contry"`, 'did you mean country? known here: country, asn'],
    ['alert = 1', `${ANN}:1: "alert" is not a list of tables`, 'write [[alert]] above each rule'],
    ['[[alert]]\nwhen = "app:a"', `${ANN}:1: "alert.0.name" is not a name of at most 64 characters`, null],
    ['[[alert]]\nname = "a"\n[[alert]]\nname = "b"\nwhen = "ap:a"', `${ANN}:1: "alert.0.when" is not a filter`, null],
    [
      '[[alert]]\nname = "a"\nwhen = "x"\n\n[[alert]]\nname = "b"\nwhen = "tx>1 ap:a"',
      `${ANN}:7: unknown field 'ap' - did you mean app?, at column 6 of the filter`,
      null,
    ],
    ['[[alert]]\nname = "a"\nwhen = "new"', `${ANN}:3: \`new\` can't be used in a rule`, null],
    ['[[alert]]\nname = "a"\nwhen = "x"\nover = "5 GB"', `${ANN}:4: "alert.0.over" is not enough without a period`, null],
    ['[[alert]]\nname = "a"\nwhen = "x"\nover = 5', `${ANN}:4: "alert.0.over" is not an amount of bytes`, null],
    ['[[alert]]\nname = "a"\nwhen = "x"\nfor = "0s"', `${ANN}:4: "alert.0.for" is not a duration from 1s to 1d`, null],
    [
      '[[alert]]\nname = "a"\nwen = "x"',
      `${ANN}:3: unknown key "alert.0.wen"`,
      'did you mean when? known here: name, when, over, per, for, severity',
    ],
    ['[categories]\na = ["file:"]', `${ANN}:2: "categories.a" is not a list of domain names`, null],
    ['[categories]\na = ["regexp:.*"]', `${ANN}:2: "categories.a" is not a list of domain names`, null],
    ['history = true', `${ANN}:1: "history" is not a table`, null],
    ['[keys]\nquit = "q"', `${ANN}:2: "keys.quit" is not a list of keys`, null],
    ['[keys]\n\nquit = [\n  "q",\n  "\\u001b",\n]', `${ANN}:3: "keys.quit" is not a list of keys`, null],
    ['[categories]\n"My Ads" = ["not a domain"]', `${ANN}:2: "categories.My Ads" is not a list of domain names`, null],
    ['[categories]\n"\\u001b[31m" = ["x.org"]', `${ANN}:2: "categories.[31m" is not a name without control characters`, null],
    ['a = 1\nb = = 2', `${ANN}:2: `, 'the mistake is at column 5'],
    ['ascii = true\nascii = false', `${ANN}:2: `, null],
    ['[__proto__]\nx = 1', `${ANN}:1: `, null],
    ['[general]\ninterval = "1s"', `${ANN}:1: unknown key "general"`, null],
  ])('%j names the line', async (text, message, hint) => {
    const error = await refusal(() => withFile(text));
    expect(error.code).toBe('usage');
    expect(error.message.startsWith(message), error.message).toBe(true);
    expect(`${error.message}${error.hint}`).not.toMatch(/[\n\u001b]/);
    if (hint !== null) expect(error.hint?.startsWith(hint), error.hint ?? '').toBe(true);
  });

  it('names a flag and a variable too', async () => {
    const flag = await refusal(() => load(['--interval', '10ms'], machine({})));
    expect([flag.message, flag.hint]).toEqual([
      '--interval "10ms" is not a duration from 100ms to 1h',
      'type for example: --interval 2s',
    ]);
    const variable = await refusal(() => load([], machine({ env: { NETMON_DRIVER: 'pcap' } })));
    expect([variable.message, variable.hint]).toEqual([
      'NETMON_DRIVER="pcap" is not one of auto, libpcap, tcpdump, cap',
      'for example NETMON_DRIVER=libpcap',
    ]);
    expect((await refusal(() => load(['--mouse', '--no-mouse'], machine({})))).message).toBe(
      '--mouse and --no-mouse contradict each other',
    );
    expect((await refusal(() => load(['-i', ''], machine({})))).message).toMatch(/^--interface "" is not/);
    expect((await refusal(() => load(['-i', 'any', '-i', 'en0'], machine({})))).message).toMatch(/^--interface "any en0" is not/);
  });
});

describe('whose file', () => {
  it.each([
    ['a user', machine({}), { uid: 501, home: '/home/ann', underSudo: false }],
    ['a user without HOME', machine({ env: {} }), { uid: 501, home: '/home/ann', underSudo: false }],
    ['root', machine({ euid: 0, env: { HOME: '/root' } }), { uid: 0, home: '/root', underSudo: false }],
    ['sudo', machine({ euid: 0, env: { HOME: '/root', SUDO_UID: '501' } }), { uid: 501, home: '/home/ann', underSudo: true }],
    [
      'a stale SUDO_UID',
      machine({ euid: 501, env: { HOME: '/home/ann', SUDO_UID: '0' } }),
      { uid: 501, home: '/home/ann', underSudo: false },
    ],
    [
      'a broken SUDO_UID',
      machine({ euid: 0, env: { HOME: '/root', SUDO_UID: '-1' } }),
      { uid: 0, home: '/root', underSudo: false },
    ],
    [
      'sudo on macOS, HOME kept',
      machine({
        platform: 'darwin',
        euid: 0,
        passwd: '',
        env: { HOME: '/Users/bo', SUDO_UID: '502' },
        folders: { '/Users/bo': 502 },
      }),
      { uid: 502, home: '/Users/bo', underSudo: true },
    ],
    [
      'sudo on macOS, HOME of somebody else',
      machine({
        platform: 'darwin',
        euid: 0,
        passwd: '',
        env: { HOME: '/Users/eve', SUDO_UID: '502', SUDO_USER: 'bo' },
        folders: { '/Users/eve': 666, '/Users/bo': 502 },
      }),
      { uid: 502, home: '/Users/bo', underSudo: true },
    ],
    [
      'sudo on macOS, a name that climbs',
      machine({
        platform: 'darwin',
        euid: 0,
        passwd: '',
        env: { SUDO_UID: '502', SUDO_USER: '../tmp/x' },
        folders: { '/Users/../tmp/x': 502 },
      }),
      { uid: 502, home: null, underSudo: true },
    ],
  ])('%s', async (_, surroundings, owner) => {
    expect(ownerOf(surroundings)).toEqual(owner);
  });

  it("reads the invoking user's file under sudo", async () => {
    const env = { HOME: '/root', SUDO_UID: '501' };
    const files = { [ANN]: 'ascii = true', '/root/.config/netmon-tui/config.toml': 'ascii = false' };
    expect((await load([], machine({ euid: 0, env, files }))).settings.ascii).toEqual({ value: true, origin: `${ANN}:1` });
  });

  it('honours XDG_CONFIG_HOME only where it belongs to that user', async () => {
    const env = { HOME: '/home/ann', XDG_CONFIG_HOME: '/x' };
    const files = { [ANN]: 'theme = "home"', '/x/netmon-tui/config.toml': 'theme = "xdg"' };
    expect((await load([], machine({ env, files, folders: { '/x': 501 } }))).settings.theme.value).toBe('xdg');
    const other = await load([], machine({ env, files, folders: { '/x': 0 } }));
    expect(other.settings.theme.value).toBe('home');
    expect(other.warnings).toEqual(['XDG_CONFIG_HOME "/x" is not used, because it belongs to another user']);
    expect((await load([], machine({ env, files }))).warnings).toEqual([]);
    expect(
      (await load([], machine({ env: { ...env, XDG_CONFIG_HOME: 'x' }, files, folders: { x: 501 } }))).settings.theme.value,
    ).toBe('home');
  });

  it('looks into Application Support on macOS, after ~/.config', async () => {
    const support = '/Users/bo/Library/Application Support/netmon-tui/config.toml';
    const dot = '/Users/bo/.config/netmon-tui/config.toml';
    const bo = (files: Record<string, FakeFile>) => load([], machine({ platform: 'darwin', env: { HOME: '/Users/bo' }, files }));
    expect((await bo({ [support]: 'theme = "support"' })).path).toBe(support);
    const both = await bo({ [support]: 'theme = "support"', [dot]: 'theme = "dot"' });
    expect(both.settings.theme.value).toBe('dot');
    expect(both.warnings).toEqual([`"${support}" is not read, because "${dot}" comes first`]);
    expect((await load([], machine({ env: { HOME: '/Users/bo' }, files: { [support]: '' } }))).path).toBeNull();
  });

  it.each<[string, FakeFile, string, string]>([
    ['another user', { uid: 666 }, 'belongs to another user', `type: sudo chown 501 ${ANN}`],
    ['a group that writes', { mode: 0o100664 }, 'can be written by other users', `type: chmod go-w ${ANN}`],
    ['others that write', { mode: 0o100646 }, 'can be written by other users', `type: chmod go-w ${ANN}`],
    ['a symbolic link', { link: true }, 'is a symbolic link', 'put the file itself there, or give its real path'],
    ['a folder', { isFile: false }, 'is not a regular file', 'put a text file there, or remove it'],
    ['a giant', { failure: 'larger than 1024 KiB' }, "can't be read (larger than 1024 KiB)", `type: ls -l ${ANN}`],
  ])('refuses %s', async (_, file, what, hint) => {
    const error = await refusal(() => withFile(file));
    expect([error.code, error.message, error.hint]).toEqual(['usage', `the configuration file "${ANN}" ${what}`, hint]);
    const sudo = machine({ euid: 0, env: { SUDO_UID: '501' }, files: { '/tmp/c': file } });
    expect((await refusal(() => load(['--config', '/tmp/c'], sudo))).message).toBe(`the configuration file "/tmp/c" ${what}`);
  });

  it('goes on without a file that it may not read, and says so', async () => {
    const config = await withFile({ failure: 'EACCES' });
    expect(config.path).toBeNull();
    expect(config.warnings).toEqual([`the configuration file "${ANN}" can't be read (EACCES)`]);
    const asked = machine({ euid: 0, env: {}, files: { '/c': { failure: 'EACCES' } } });
    expect((await refusal(() => load(['--config', '/c'], asked))).message).toBe(
      `the configuration file "/c" can't be read (EACCES)`,
    );
  });

  it("takes root's file, and for a plain user any file he names", async () => {
    expect((await withFile({ uid: 0, text: 'ascii = true' })).settings.ascii.value).toBe(true);
    const named = machine({ files: { '/tmp/c': { uid: 666, mode: 0o100666, link: true, text: 'ascii = true' } } });
    expect((await load(['--config', '/tmp/c'], named)).settings.ascii.origin).toBe('/tmp/c:1');
    const variable = machine({ env: { NETMON_CONFIG: '/tmp/c' }, files: { '/tmp/c': 'ascii = true', [ANN]: 'ascii = false' } });
    expect((await load([], variable)).settings.ascii.value).toBe(true);
    expect((await refusal(() => load(['--config', '/tmp/none'], machine({})))).message).toBe(
      'the configuration file "/tmp/none" does not exist',
    );
    expect((await refusal(() => load(['--config='], machine({})))).message).toBe('--config needs a path');
  });
});

describe('the real file system', () => {
  const folder = mkdtempSync(join(tmpdir(), 'netmon-config-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('reads, and refuses links, folders and giants by what was opened', async () => {
    const file = join(folder, 'config.toml');
    writeFileSync(file, 'ascii = true\n');
    chmodSync(file, 0o600);
    const read = systemFiles.read(file, false);
    expect(read).toMatchObject({ kind: 'read', isFile: true, text: 'ascii = true\n', uid: process.getuid?.() });
    expect(read.kind === 'read' && read.mode & 0o777).toBe(0o600);
    symlinkSync(file, join(folder, 'link'));
    expect(systemFiles.read(join(folder, 'link'), false)).toEqual({ kind: 'link' });
    expect(systemFiles.read(join(folder, 'link'), true)).toMatchObject({ kind: 'read', text: 'ascii = true\n' });
    expect(systemFiles.read(folder, false)).toMatchObject({ kind: 'read', isFile: false, text: '' });
    expect(systemFiles.read(join(folder, 'none'), false)).toEqual({ kind: 'missing' });
    expect(systemFiles.read(join(file, 'below'), false)).toEqual({ kind: 'missing' });
    writeFileSync(file, Buffer.alloc((1 << 20) + 1, 0x23));
    expect(systemFiles.read(file, false)).toEqual({ kind: 'failed', reason: 'larger than 1024 KiB' });
    expect(systemFiles.folderOwner(folder)).toBe(process.getuid?.());
    expect(systemFiles.folderOwner(file)).toBeNull();
    expect(systemFiles.folderOwner(join(folder, 'none'))).toBeNull();
  });
});

describe('--print-config', () => {
  it('strips a folder of the environment of what could reach a terminal, or end the comment that it stands in', async () => {
    const text = configText(await load([], machine({ env: { XDG_DATA_HOME: '/d\u001b[2J\u202e\nbpf = "x"' } })), '1');
    expect(text).toContain('# path =  # default: /d[2Jbpf = "x"/netmon-tui/history.sqlite\n');
  });

  it('prints each value with its origin', async () => {
    const text = configText(
      await load(['--interval', '1500ms'], machine({ files: { [ANN]: '[keys]\nquit = ["q", "x"]\n' } })),
      '1.2.3',
    );
    expect(text.split('\n')).toEqual([
      `# netmon-tui 1.2.3: the configuration in force. Read: ${ANN}`,
      'interface = []                  # default',
      '# bpf =  # default: none',
      'driver = "auto"                 # default',
      'reverse-dns = false             # default',
      '# filter =  # default: none',
      'interval = "1500ms"             # flag --interval',
      'names = true                    # default',
      'theme = "auto"                  # default',
      'units = "bytes"                 # default',
      '# average =  # default: 10s, or as the screen had it last',
      '# lite =  # default: as the last run left it',
      'ascii = false                   # default',
      'color = true                    # default',
      '# mouse =  # default: on, but off over SSH',
      '# log =  # default: none',
      'log-level = "info"              # default',
      '# policy =  # default: none',
      '',
      '[history]',
      '# path =  # default: /home/ann/.local/share/netmon-tui/history.sqlite',
      'enabled = false                 # default',
      'size = "200 MB"                 # default',
      '',
      '# [budget]  # not set',
      '',
      '[alerts]',
      'enabled = true                  # default',
      'learn = "1d"                    # default',
      'upload-floor = "200 MB"         # default',
      ...ALERT_KINDS.map((kind) => `# ${kind} =  # default: ${SEVERITY_OF[kind]}`),
      '',
      '[notify]',
      'terminal = "notify"             # default',
      'desktop = false                 # default',
      'command = []                    # default',
      '# webhook =  # default: none',
      '# webhook-format =  # default: by the address; else json',
      '# webhook-token =  # default: none',
      '# webhook-ca =  # default: none',
      'syslog = false                  # default',
      '# quiet =  # default: none',
      'rate = "20 per hour"            # default',
      '',
      '[export]',
      'fields = []                     # default',
      'hash = []                       # default',
      ...['clickhouse', 'remote_write', 'otlp', 'ipfix', 'prometheus'].flatMap((name) => ['', `# [export.${name}]  # not set`]),
      '',
      '[packets]',
      '# keep =  # default: none',
      'snap = "auto"                   # default',
      'on-alert = false                # default',
      '# folder =  # default: /home/ann/.local/share/netmon-tui/packets',
      'folder-size = "500 MB"          # default',
      'folder-age = "30d"              # default',
      '',
      '[place]',
      '# country =  # default: the usual places',
      '# asn =  # default: the usual places',
      '',
      '[categories]  # not set',
      '',
      '[keys]',
      `quit = ["q", "x"]               # ${ANN}:2`,
      '',
      '[attach]  # not set',
      '',
    ]);
  });

  it('prints a file that says the same when it is read back', async () => {
    const toml = [
      'interface = ["en0", "utun3"]',
      'filter = \'app:"my app" or host:\\d é \u202e end\'',
      'bpf = "tcp port 443"',
      'interval = "1m"',
      'mouse = true',
      'history = { path = "/x y/h.db", enabled = true, size = "5MiB" }',
      'place = { country = "geo/c.mmdb" }',
      '[categories]',
      '"Ads & \\"co\\"" = ["ads.example.com", "münchen.example", "jira", "full:a.b", "file:~/ads", "file:x"]',
      '[keys]',
      'sort-next = ["s", "\\"", "<"]',
      '[attach]',
      'office = ["mac1", "ann@db3"]',
    ].join('\n');
    const first = await withFile(toml);
    const printed = configText(first, '1');
    expect(printed).not.toContain('\u202e');
    const second = await withFile(printed);
    const bare = (config: Config) => ({
      settings: Object.entries(config.settings).map(([name, { value }]) => [name, value]),
      history: [
        config.settings['history.enabled'].value,
        config.settings['history.path'].value,
        config.settings['history.size'].value,
      ],
      place: [config.settings['place.country'].value, config.settings['place.asn'].value],
      tables: [...config.categories, ...config.keys, ...config.groups].map(([name, { value }]) => [name, value]),
    });
    expect(bare(second)).toEqual(bare(first));
    expect(bare(first).history).toEqual([true, '/x y/h.db', 5 << 20]);
    expect(bare(first).place).toEqual(['/home/ann/.config/netmon-tui/geo/c.mmdb', null]);
    expect(first.categories.get('Ads & "co"')?.value).toEqual([
      'ads.example.com',
      'münchen.example',
      'jira',
      'full:a.b',
      'file:/home/ann/ads',
      'file:/home/ann/.config/netmon-tui/x',
    ]);
  });
});
