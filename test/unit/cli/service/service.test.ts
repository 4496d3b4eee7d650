import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../../../src/cli/command-line.ts';
import { serviceCommand } from '../../../../src/cli/service/command.ts';
import { launchdPlist } from '../../../../src/cli/service/launchd.ts';
import type { Service, ServiceUser } from '../../../../src/cli/service/service.ts';
import { lastingNode } from '../../../../src/cli/service/service.ts';
import { systemdUnit } from '../../../../src/cli/service/systemd.ts';
import { FakeSink } from '../history/fake-io.ts';

const ANN = { uid: 501, gid: 20, name: 'ann & <co>', home: '/Users/ann' };
const SERVICE: Service & { user: ServiceUser } = {
  program: ['/bin/sh', "/opt/it's here/netmon-tui.js"],
  typed: 'netmon-tui record --install x',
  words: ['--history=/var/lib/a b%d/history.sqlite', '--bpf=not port 22 and "x" $HOME \\ <y>'],
  history: '/var/lib/a b%d/history.sqlite',
  log: null,
  state: null,
  user: ANN,
};

/** Why a program can't be run; null where it can. */
function lacks(program: string, ...args: string[]): string | null {
  return spawnSync(program, args).error === undefined ? null : `${program} is not installed`;
}

/** Splits an ExecStart as systemd does (systemd.service(5)): quotes, backslashes, %% and $$. */
function systemdWords(line: string): string[] {
  const words: string[] = [];
  for (const match of line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g))
    words.push((match[1]?.replace(/\\(.)/g, '$1') ?? (match[2] as string)).replaceAll('%%', '%').replaceAll('$$', '$'));
  return words;
}

describe('systemd', () => {
  const unit = systemdUnit(SERVICE);

  it('starts what was asked, as the user, with the rights to capture and no others', () => {
    const exec = /^ExecStart=(.*)$/m.exec(unit.text)?.[1] ?? '';
    expect(systemdWords(exec)).toEqual([...SERVICE.program, 'record', ...SERVICE.words]);
    expect(unit.text).toContain('\nUser=501\nGroup=20\nAmbientCapabilities=CAP_NET_RAW ');
    expect(unit.text).toContain('\nReadWritePaths="/var/lib/a b%%d"\n');
    expect(systemdUnit({ ...SERVICE, log: '/var/log/n/x.log' }).text).toContain(
      '\nReadWritePaths="/var/lib/a b%%d" /var/log/n\n',
    );
    expect(unit.text).not.toContain('ReadWritePaths="-');
    const telling = systemdUnit({ ...SERVICE, state: '/home/a b/state' });
    expect(telling.text).toContain('\nReadWritePaths="-/home/a b/state"\n');
    expect(telling.install(null).join('\n')).toContain("mkdir -p -m 700 '/var/lib/a b%d' '/home/a b/state'\n");
    for (const line of [
      'ProtectSystem=strict',
      'Restart=on-failure',
      'KillSignal=SIGTERM',
      'SuccessExitStatus=143',
      'UMask=0077',
      // The messenger begins deliveries for five seconds more, and the user's command may take thirty.
      'TimeoutStopSec=40',
    ])
      expect(unit.text).toContain(`\n${line}\n`);
    expect(unit.install(null).join('\n')).toContain("sudo -u '#501' mkdir -p -m 700 '/var/lib/a b%d'\n");
    expect(unit.install('my.service')).toContain('sudo install -m 644 my.service /etc/systemd/system/netmon-tui.service');
  });

  it("is root's where nobody called sudo", () => {
    const { text } = systemdUnit({ ...SERVICE, state: null, user: null });
    expect(text).not.toMatch(/^(User|Group|AmbientCapabilities)=/m);
    expect(text).toMatch(/^CapabilityBoundingSet=CAP_NET_RAW /m);
  });

  it.for([
    ['of a user', unit.text],
    // its program is not installed here
    ['of packages', readFileSync('packaging/netmon-tui.service', 'utf8').replace('=/usr/bin/netmon-tui', '=/bin/sh')],
  ] as const)('%s is sound to systemd', ([, text], { skip }) => {
    const reason = lacks('systemd-analyze', '--version');
    if (reason !== null) skip(`the unit: ${reason}`);
    const folder = mkdtempSync(join(tmpdir(), 'netmon-unit-'));
    try {
      const file = join(folder, 'netmon-tui.service');
      writeFileSync(file, text);
      const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', file], { encoding: 'utf8' });
      expect({ status, ours: stderr.split('\n').filter((line) => line.includes('netmon-tui')) }).toEqual({ status: 0, ours: [] });
      writeFileSync(file, text.replace('ProtectClock=yes', 'ProtectClock=perhaps'));
      expect(spawnSync('systemd-analyze', ['verify', '--man=no', file], { encoding: 'utf8' }).stderr).toContain('perhaps');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('launchd', () => {
  const plist = launchdPlist(SERVICE);

  it('is a property list that starts what was asked, for the user', ({ skip }) => {
    const reason = lacks('python3', '--version');
    if (reason !== null) skip(`the property list: ${reason}`);
    const script = 'import sys,plistlib,json; print(json.dumps(plistlib.loads(sys.stdin.buffer.read())))';
    const read = JSON.parse(execFileSync('python3', ['-c', script], { input: plist.text, encoding: 'utf8' }));
    expect(read).toMatchObject({
      Label: 'netmon-tui.record',
      ProgramArguments: [...SERVICE.program, 'record', ...SERVICE.words],
      EnvironmentVariables: { SUDO_UID: '501', SUDO_GID: '20', SUDO_USER: ANN.name, HOME: '/Users/ann' },
      RunAtLoad: true,
      KeepAlive: { SuccessfulExit: false },
      ProcessType: 'Standard',
      Umask: 0o77,
    });
  });

  it('warns of folders that no daemon may read on a Mac', () => {
    expect(plist.warnings).toEqual([]);
    const script = '/Users/ann/Documents/netmon-tui/bin/netmon-tui.js';
    expect(launchdPlist({ ...SERVICE, program: ['/usr/bin/node', script] }).warnings.join()).toMatch(
      /^macOS keeps daemons out of \/Users\/ann\/Documents\//,
    );
    expect(launchdPlist({ ...SERVICE, history: '/Users/ann/Desktop/h.sqlite' }).warnings).toHaveLength(1);
    expect(launchdPlist({ ...SERVICE, program: ['/Users/ann/src/Documents/x'] }).warnings).toEqual([]);
  });

  it('says how to install it', () => {
    expect(plist.install(null)[0]).toBe(`${SERVICE.typed} | sudo tee /Library/LaunchDaemons/netmon-tui.record.plist > /dev/null`);
    expect(plist.install('a.plist')).toContain('sudo launchctl bootstrap system /Library/LaunchDaemons/netmon-tui.record.plist');
  });
});

describe('the files of packages', () => {
  const words = (history: string) => ({
    words: [`--history=${history}`],
    history,
    log: null,
    state: null,
    typed: 'netmon-tui record',
  });

  it.each([
    [
      'packaging/netmon-tui.service',
      // The link that systemd makes of /var/lib/netmon-tui is no folder to write to.
      systemdUnit({ ...words('/var/lib/private/netmon-tui/history.sqlite'), program: ['/usr/bin/netmon-tui'], user: 'dynamic' })
        .text,
    ],
    [
      'packaging/netmon-tui.record.plist',
      launchdPlist({
        ...words('/Library/Application Support/netmon-tui/history.sqlite'),
        program: ['/usr/local/bin/netmon-tui'],
        user: null,
      }).text,
    ],
  ])('%s is what `record --install` would print: node scripts/docs.mjs', (path, made) => {
    const at = new URL(`../../../../${path}`, import.meta.url);
    if (process.env['NETMON_DOCS'] !== undefined) writeFileSync(at, made);
    else expect(readFileSync(at, 'utf8')).toBe(made);
  });
});

describe('what is to be typed', () => {
  it.each([
    ['systemd', systemdUnit(SERVICE)],
    ['launchd', launchdPlist(SERVICE)],
  ])('for %s is commands alone: zsh takes no comments at its prompt', (_name, { install, besides }) => {
    const commands = [...install(null), ...install('a file'), ...besides.map(([, command]) => command)];
    expect(commands.filter((command) => /\s#/.test(command))).toEqual([]);
  });
});

describe('lastingNode', () => {
  const links: Record<string, string> = {
    '/opt/homebrew/bin/node': '/opt/homebrew/Cellar/node/25.0.0/bin/node',
    '/opt/homebrew/opt/node@24/bin/node': '/opt/homebrew/Cellar/node@24/24.1.0/bin/node',
    '/Users/ann/Library/Caches/fnm_multishells/1_2/bin/node': '/Users/ann/.fnm/node-versions/v24.1.0/installation/bin/node',
  };
  const lasting = (executable: string) =>
    lastingNode(
      executable,
      [...Object.keys(links).map((link) => link.slice(0, -5)), 'bin', ''].join(':'),
      (path) => links[path] ?? null,
    );

  it('is the link that outlives an upgrade', () => {
    expect(lasting('/opt/homebrew/Cellar/node/25.0.0/bin/node')).toBe('/opt/homebrew/bin/node');
    expect(lasting('/opt/homebrew/Cellar/node@24/24.1.0/bin/node')).toBe('/opt/homebrew/opt/node@24/bin/node');
  });

  it('is no link that a shell made for itself, and the node that runs where there is none', () => {
    const own = '/Users/ann/.fnm/node-versions/v24.1.0/installation/bin/node';
    expect([lasting(own), lasting('/opt/node/bin/node')]).toEqual([own, '/opt/node/bin/node']);
  });
});

describe('record --install', () => {
  const history = { path: '/home/ann/history.sqlite', record: true, maxBytes: 1, owner: null };
  const starter = { program: ['/usr/bin/node', '/opt/n.js'] as const, typed: 'netmon-tui record', state: null, user: null };
  const run = async (...words: string[]) => {
    const io = { out: new FakeSink(), err: new FakeSink() };
    await serviceCommand(parseCommandLine(['record', ...words]), history, starter, io);
    return { out: io.out.text, err: io.err.text };
  };

  it('prints the file, and on standard error what to type', async () => {
    const { out, err } = await run(
      '--install',
      'systemd',
      '-i',
      'eth0',
      '-i',
      'wlan0',
      '--reverse-dns',
      '--config',
      '/etc/n.toml',
    );
    expect(out).toContain(
      '\nExecStart=/usr/bin/node /opt/n.js record --history=/home/ann/history.sqlite --interface=eth0 --interface=wlan0 --config=/etc/n.toml --reverse-dns\n',
    );
    expect(err).toContain('  sudo systemctl enable --now netmon-tui\n');
  });

  it.each([[['--install', 'cron']], [['--install', 'constructor']]])('refuses %j', async (words) => {
    await expect(run(...words)).rejects.toMatchObject({
      code: 'usage',
      hint: 'type for example: --install systemd',
    });
  });

  it('refuses what no file could hold', async () => {
    await expect(run('--install', 'systemd', '--bpf', 'a\nUser=root')).rejects.toThrow('control character');
    await expect(run('--install', 'launchd', '--bpf', 'a\u0001')).rejects.toThrow('control character');
  });
});
