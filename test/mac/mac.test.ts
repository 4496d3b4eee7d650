// Runs the whole program on the fake Mac of machine.ts: the screen, the JSON, the doctor, both drivers, and how root is given up.

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import type { Line, Running } from '../support/netns.ts';
import { Pty, ptyObstacle } from '../support/pty.ts';
import { faults, receiptSchema } from '../support/schemas.ts';
import { type Mac, MacFactory, macObstacle, type Starter } from './machine.ts';

const reason = macObstacle();
const NOBODY = 2 ** 32 - 2;
const CHROME = '/Applications/Google Chrome.app';
const CUT_TITLE = 'com.example.long';

/** The fields of a JSON line that these tests read. */
interface MacLine {
  readonly capture: Line['capture'] & {
    driver: string;
    interfaces: string[];
    attribution: string;
    fallbacks: { driver: string; reason: string }[];
    privileges: { user: string; uid: number; dropped: boolean; kept: string[] };
  };
  readonly total: { rx_bytes: number; tx_bytes: number };
  readonly apps: {
    app: string | null;
    exe: string | null;
    pids: number[];
    user: string | null;
    rx_bytes: number;
    tx_bytes: number;
    rx_packets: number;
    tx_packets: number;
    flows: number;
    processes: { publisher: { kind: string; name: string | null; by: string | null; note: string | null } | null }[];
  }[];
  readonly hosts: { host: string; name_source: string }[];
  readonly flows: { app: string | null; on_behalf_of: string | null; remote: { port: number } }[];
}

const newest = (run: Running) => (run.samples.at(-1) ?? run.last) as unknown as MacLine;
const appOf = ({ apps }: MacLine, name: string) => apps.find(({ app }) => app === name);

/** Waits until `ps`, the last to answer, has told the users. */
const named = (run: Running) =>
  run.until(
    () => run.samples.length > 0 && newest(run).apps.filter(({ user }) => user !== null).length === 6,
    'six apps with their users',
  );

/** What root ran after the first call by another user: after it was given up. */
function callsByRoot(mac: Mac): readonly string[] {
  const { calls } = mac;
  return calls.slice(calls.findIndex((call) => !call.startsWith('0 '))).filter((call) => call.startsWith('0 '));
}

describe('a fake Mac', () => {
  const { bin } = inject('program');
  let macs: MacFactory;
  let mac: Mac;

  beforeAll(() => {
    if (reason === null) macs = new MacFactory(bin);
  });
  afterAll(() => macs?.close());
  beforeEach(({ skip, onTestFinished }) => {
    if (reason !== null) skip(`a fake Mac: ${reason}`);
    mac = macs.make();
    onTestFinished(() => mac.kill());
  });

  it('doctor: all steps work', async () => {
    const { status, stdout, stderr } = mac.run('root', 'doctor');
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain('all steps work');
    for (const finding of [
      /^ {2}ok +system +macOS 26\.1, Darwin 25\.1\.0$/m,
      /^ {2}ok +libpcap +libpcap version 1\.10\.1$/m,
      /^ {2}ok +tcpdump +tcpdump version 4\.99\.1 -- Apple version 148$/m,
      /^ {2}ok +\/dev\/bpf0 +may be opened$/m,
      /^ {2}ok +goes on as +nobody \(4294967294\)/m,
      /^ {2}ok +default route +en0$/m,
      /^ {2}ok +counters +6 of 6 interfaces$/m,
      /^ {2}ok +driver libpcap +[1-9]\d* packets .* en0 link 1, utun4 link 0, lo0 link 0$/m,
      /^ {2}ok +driver tcpdump +[1-9]\d* packets .* en0 link 1, utun4 link 0, lo0 link 0$/m,
      /^ {2}ok +owners: ps +8 processes, 7 with a path$/m,
      /^ {2}ok +owners: nettop +2 flows of 2 processes;/m,
      /^ {2}ok +owners: lsof +10 sockets of 5 processes$/m,
    ])
      expect(stdout).toMatch(finding);
    await mac.cleared();
  });

  it.each(['libpcap', 'tcpdump'])('%s names every process, and root becomes the user who called sudo', async (driver) => {
    const run = mac.start('sudo', '--driver', driver);
    await named(run);
    const line = newest(run);
    // PKTAP cuts names after 15 or 16 letters. A process that is gone keeps the longer cut, and has one row.
    expect(Object.fromEntries(line.apps.map(({ app, exe, pids, user, flows }) => [app, { exe, pids, user, flows }]))).toEqual({
      'Google Chrome': { exe: CHROME, pids: [2228], user: 'ann', flows: 1 },
      [CUT_TITLE]: { exe: null, pids: [4242], user: null, flows: 1 },
      Spotify: { exe: '/Applications/Spotify.app', pids: [794], user: 'ann', flows: 1 },
      tailscaled: { exe: '/usr/local/bin/tailscaled', pids: [888], user: 'root', flows: 1 },
      mDNSResponder: { exe: '/usr/sbin/mDNSResponder', pids: [401], user: '_mdnsresponder', flows: 1 },
      node: { exe: '/opt/homebrew/Cellar/node/24.1.0/bin/node', pids: [53_147], user: 'ann', flows: 1 },
      postgres: { exe: '/opt/homebrew/Cellar/postgresql@16/16.4/bin/postgres', pids: [53_245], user: 'ann', flows: 1 },
      null: { exe: null, pids: [], user: null, flows: 1 },
    });
    expect(line.capture).toMatchObject({ driver, fallbacks: [] });
    expect(line.capture.privileges).toMatchObject({ user: 'ann', uid: 501, dropped: true, kept: [] });
    expect(line.hosts).toContainEqual(expect.objectContaining({ host: 'www.example.com', name_source: 'dns' }));
    expect(line.flows).toContainEqual(expect.objectContaining({ app: 'mDNSResponder', on_behalf_of: 'Google Chrome' }));
    await run.interrupt();

    const end = run.last as unknown as MacLine;
    for (const name of ['Google Chrome', CUT_TITLE]) {
      const { rx_bytes, tx_bytes, rx_packets, tx_packets } = appOf(end, name)!;
      expect([rx_bytes, tx_bytes], name).toEqual([1440 * rx_packets, 100 * tx_packets]);
      expect(tx_packets, name).toBeGreaterThan(0);
    }
    // The total counts traffic in a tunnel once, as the tunnel's own packets, and a local packet once, though PKTAP delivers it twice.
    const sum = end.apps.reduce((bytes, { rx_bytes }) => bytes + rx_bytes, 0);
    expect(end.total.rx_bytes).toBe(sum - appOf(end, 'Spotify')!.rx_bytes);
    expect(appOf(end, 'node')!.rx_bytes).toBe(appOf(end, 'postgres')!.tx_bytes);
    expect([await run.ended, run.stderr]).toEqual([130, '']);
    await mac.cleared();
    expect(callsByRoot(mac).filter((call) => !call.startsWith('0 ifconfig '))).toEqual([]);
    expect(mac.calls.some((call) => call.includes(' tcpdump -i pktap'))).toBe(driver === 'tcpdump');
  });

  it.each([
    [[], 'nobody', NOBODY],
    [['--user', 'ann'], 'ann', 501],
  ] as const)('root without sudo, with %j, becomes %s', async (words, user, uid) => {
    const run = mac.start('root', ...words);
    await named(run);
    expect(newest(run).capture.privileges).toMatchObject({ user, uid, dropped: true, kept: [] });
    expect([await run.interrupt(), run.stderr]).toEqual([130, '']);
    await mac.cleared();
    expect(mac.calls).toContain(`${uid} ps -axww -o pid=,ppid=,uid=,tty=,lstart=,comm=`);
    expect(callsByRoot(mac)).toEqual(['0 ifconfig -l', '0 ifconfig -v pktap0', '0 ifconfig pktap0 destroy']);
  });

  it.each([[[]], [['--stay-root']]])('under sudo, with %j, the history belongs to the user, who can read it', async (words) => {
    const run = mac.start('sudo', '--history', ...words);
    await named(run);
    expect([await run.interrupt(), run.stderr]).toEqual([130, '']);
    const folder = join(mac.home, 'Library/Application Support/netmon-tui');
    for (const name of ['', 'history.sqlite', 'history.sqlite.lock']) expect(statSync(join(folder, name)).uid, name).toBe(501);
    const { status, stdout, stderr } = mac.run('ann', 'query', '--json', 'SELECT * FROM connections');
    expect([status, stdout, stderr]).toEqual([0, expect.stringContaining('Google Chrome'), '']);
  });

  it('codesign says who made each app, once, as the user', async () => {
    const run = mac.start('sudo');
    const told = () =>
      newest(run).apps.flatMap(({ app, processes }) =>
        processes.flatMap(({ publisher }) =>
          publisher === null ? [] : [[app, publisher.kind, publisher.name, publisher.by, publisher.note].join(' ').trim()],
        ),
      );
    await run.until(() => run.samples.length > 0 && told().length === 6, 'six publishers');
    expect(told().sort()).toEqual([
      'Google Chrome signed Google LLC EQHXZ8M8AV',
      "Spotify untrusted   it says Spotify, for whom Apple doesn't vouch",
      'mDNSResponder apple Apple',
      'node adhoc   built by homebrew: node 24.1.0',
      'postgres adhoc   built by homebrew: postgresql@16 16.4',
      'tailscaled unsigned',
    ]);
    await run.interrupt();
    const asked = mac.calls.filter((call) => call.includes(' codesign '));
    expect(asked.filter((call) => !call.startsWith('501 '))).toEqual([]);
    expect(asked.filter((call) => call.includes(' --display ')).length).toBe(6);
    expect(asked.filter((call) => call.includes(' --verify ')).length).toBe(3);
  });

  it('lists what waits for connections: everybody’s to root, a user’s own to the user', async () => {
    const listed = (starter: Starter) => {
      const { status, stdout, stderr } = mac.run(starter, 'listeners', '--json');
      expect([status, stderr]).toEqual([0, '']);
      const rows = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      return rows.map((row) => ['protocol', 'address', 'port', 'reach', 'app', 'pid', 'user'].map((key) => row[key]).join(' '));
    };
    const own = [
      'udp * 5353 everywhere Google Chrome 2228 ann',
      'tcp 127.0.0.1 5432 loopback postgres 53245 ann',
      'tcp ::1 5432 loopback postgres 53245 ann',
      'tcp * 49159 everywhere rapportd 455 ann',
    ];
    expect(listed('ann')).toEqual(own);
    expect(listed('root')).toEqual([
      ...own.slice(0, 3),
      'tcp fe80::aede:48ff:fe00:1122 41641 network tailscaled 888 root',
      'udp * 41641 everywhere tailscaled 888 root',
      ...own.slice(3),
    ]);
    const { stdout } = mac.run('ann', 'listeners');
    expect(stdout).toMatch(/lsof lists only your own processes: sudo shows all/);
  });

  it('under sudo, an alert is a notification that osascript shows as the user', async () => {
    mac.configure('[notify]\ndesktop = true\n[[alert]]\nname = "-e much"\nwhen = "app:Chrome"\nover = "1 KB"\nper = "hour"\n');
    const run = mac.start('sudo');
    const shown = () => mac.calls.filter((call) => call.includes(' osascript '));
    await run.until(() => shown().length > 0, 'a notification');
    const script = '-e on run argv -e display notification (item 2 of argv) with title (item 1 of argv) -e end run';
    const [call = ''] = shown();
    expect(call.startsWith(`501 osascript ${script} netmon-tui: warning -e much: `), call).toBe(true);
    await run.interrupt();
    expect([await run.ended, run.stderr]).toEqual([130, '']);
    expect(callsByRoot(mac).filter((call) => !call.startsWith('0 ifconfig '))).toEqual([]);
  });

  it('run: a command keeps its user and status, and its receipt has what it and its child moved, and nothing of anybody else', () => {
    const words = `${mac.expectCommand()}; grep ^Uid: /proc/self/status; sleep 3; exit 7`;
    const { status, stdout, stderr } = mac.run('sudo', 'run', '--receipt', '-', '--format', 'json', '--', '/bin/sh', '-c', words);
    const [uid, ...rest] = stdout.split('\n');
    expect([status, uid?.split('\t')[2], stderr]).toEqual([7, '501', '']);
    const receipt = JSON.parse(rest.join('\n'));
    expect(faults(receipt, receiptSchema())).toEqual([]);
    expect(receipt).toMatchObject({ user: 'ann', status: 7, attribution: 'pktap', membership: 'polling', membership_note: null });
    expect(receipt.destinations.map((row: { app: string; address: string }) => [row.app, row.address]).sort()).toEqual([
      ['npm', '203.0.113.78'],
      ['sh', '203.0.113.77'],
    ]);
    const [one, other] = receipt.destinations;
    expect([one.tx_packets * 2, other.tx_packets * 2]).toEqual([one.rx_packets, other.rx_packets]);
    expect(
      receipt.processes.map((each: { name: string; ancestors: string[] }) => [each.name, each.ancestors.at(-1)]).sort(),
    ).toEqual([
      ['npm', 'sh'],
      ['sh', 'launchd'],
    ]);
    expect(receipt.untold.notes).toContain('processes were looked up, not announced: those that lived a moment may be missing');
  });

  it('tcpdump captures when libpcap may not open PKTAP, and the JSON says why', async () => {
    mac.refusePktap();
    const run = mac.start('sudo');
    await named(run);
    const { driver, fallbacks } = newest(run).capture;
    expect(driver).toBe('tcpdump');
    expect(fallbacks).toEqual([
      { driver: 'libpcap', reason: expect.stringContaining('BIOCSETIF: pktap0: Operation not permitted') },
    ]);
    expect(await run.interrupt()).toBe(130);
    await mac.cleared();
  });

  it('tcpdump takes over when the PKTAP capture is lost', async () => {
    const run = mac.start('sudo');
    await named(run);
    expect(mac.interfaces).toEqual(['pktap0']);
    mac.destroy('pktap0');
    await run.until(() => newest(run).capture.driver === 'tcpdump', 'the other driver');
    const received = () => appOf(newest(run), CUT_TITLE)!.rx_packets;
    const before = received();
    await run.until(() => received() > before, 'more packets');
    expect(newest(run).capture.fallbacks).toEqual([
      { driver: 'libpcap', reason: expect.stringContaining('ioctl(SIOCIFCREATE): Operation not permitted') },
    ]);
    const totals = run.samples.map(({ total }) => total.rx_bytes);
    expect(totals).toEqual([...totals].sort((a, b) => a - b));
    expect([await run.interrupt(), run.stderr]).toEqual([130, '']);
    await mac.cleared();
    expect(callsByRoot(mac)[0]).toMatch(/^0 tcpdump -i pktap,en,utun,ipsec,ppp,lo0 /);
  });

  it.each(['libpcap', 'tcpdump'])('no pktap interface stays behind when the program is killed: %s', async (driver) => {
    const run = mac.start('sudo', '--driver', driver);
    await named(run);
    expect(mac.interfaces).toEqual(['pktap0']);
    mac.kill();
    await run.ended;
    await mac.cleared();
  });

  it.each([
    ['libpcap', 'garbage in', "can't parse filter expression: syntax error"],
    ['tcpdump', 'garbage in', "can't parse filter expression: syntax error"],
    ['libpcap', 'ether host 00:11:22:33:44:55', 'does not work on utun, ipsec, ppp, lo0: '],
    ['tcpdump', 'ether host 00:11:22:33:44:55', 'does not work on '],
  ])('a filter that does not compile ends %s with status 5: %s', async (driver, filter, said) => {
    const { status, stderr } = mac.run('sudo', '--json', '--driver', driver, '--bpf', filter);
    expect([status, stderr]).toEqual([5, expect.stringContaining(`capture filter "${filter}"`)]);
    expect(stderr).toContain(said);
    await mac.cleared();
  });

  it.each(['libpcap', 'tcpdump'])('a filter applies to every link type: %s', async (driver) => {
    const run = mac.start('sudo', '--driver', driver, '--bpf', 'udp port 53 or tcp port 5432');
    const isSeen = (name: string) => newest(run).apps.some(({ app, user }) => app === name && user !== null);
    await run.until(() => run.samples.length > 0 && isSeen('node') && isSeen('mDNSResponder'), 'both kinds of packets');
    await run.interrupt();
    const { apps } = run.last as unknown as MacLine;
    expect(apps.map(({ app }) => app).sort()).toEqual(['mDNSResponder', 'node', 'postgres']);
  });

  it('without root, but with /dev/bpf0, captures the default interface and asks nettop for owners', async () => {
    mac.openBpf();
    const run = mac.start('ann');
    await run.until(() => run.samples.length > 0 && appOf(newest(run), 'Google Chrome')?.user === 'ann', 'Chrome with its user');
    expect(newest(run).capture).toMatchObject({ driver: 'libpcap', interfaces: ['en0'], attribution: 'nettop' });
    expect(newest(run).capture.note).toMatch(
      /^without root there is no PKTAP: .* ioctl\(SIOCIFCREATE\): Operation not permitted$/,
    );
    expect([await run.interrupt(), run.stderr]).toEqual([130, '']);
    const { rx_bytes, rx_packets } = appOf(run.last as unknown as MacLine, 'Google Chrome')!;
    expect(rx_bytes).toBe(1440 * rx_packets);
    expect(mac.calls.filter((call) => call.startsWith('0 '))).toEqual([]);
  });

  it('without root, --json says what to type', () => {
    const { status, stdout, stderr } = mac.run('ann', '--json');
    expect([status, stdout]).toEqual([3, '']);
    expect(stderr).toMatch(/no permission to capture on en0: You don't have permission .*\n {2}type: sudo /);
  });

  describe('the screen', () => {
    let screen: Pty;

    beforeEach(({ skip, onTestFinished }) => {
      const missing = ptyObstacle();
      if (missing !== null) skip(`a fake Mac: ${missing}`);
      onTestFinished(() => screen.end());
    });

    /** The row of an app. */
    const row = (name: string, pid: number, user: string) => new RegExp(`^│.▸ ${name} .* ${pid} ${user} +1 `, 'm');
    const CHROME_ROW = row('Google Chrome', 2228, 'ann');

    function open(starter: Starter): Pty {
      const nothing = Object.fromEntries(Object.keys(process.env).map((name) => [name, undefined]));
      const env = { ...nothing, ...mac.environment(starter), TERM: 'xterm-256color' };
      return new Pty(mac.command(starter, ['--interval', '200ms']), { columns: 150, rows: 40, env });
    }

    const shown = (...patterns: readonly RegExp[]) =>
      screen.until(() => patterns.every((pattern) => pattern.test(screen.text)), patterns.join(', '));

    async function quit(): Promise<void> {
      screen.type('q');
      expect([await screen.status, screen.isTaken]).toEqual([0, false]);
      await mac.cleared();
    }

    it('shows apps and connections under sudo, and copies a row as the user', async () => {
      screen = open('sudo');
      await shown(
        /^ netmon-tui {2}en0,utun4,lo0 · libpcap · owners by pktap +▼ [\d.]+ KiB\/s ▲ /,
        /^ total ▼ .* not captured [\d.]+ % {2}dropped 0 /m,
        CHROME_ROW,
        row(CUT_TITLE, 4242, '–'),
        row('tailscaled', 888, 'root'),
        row('Spotify', 794, 'ann'),
        row('postgres', 53_245, 'ann'),
        row('node', 53_147, 'ann'),
        row('mDNSResponder', 401, '_mdnsre\\S*'),
        /^│.Google Chrome +\d+ +:50001 → ~?www\.example\.com:443 +tcp /m,
        /^│.node=postgres +\d+ +:60123 = 127\.0\.0\.1:5432 +tcp /m,
      );
      screen.type('y');
      await shown(/row copied/);
      expect(mac.clipboard).toMatch(/^(Google Chrome\t~?www\.example\.com\t2228|com\.example\.long\t203\.0\.113\.50\t4242)\t/);
      expect(mac.calls.filter((call) => call.includes(' pbcopy'))).toEqual(['501 pbcopy ']);
      await quit();
    });

    it('view 0 shows everybody’s listeners, and apps for which nobody vouches are marked', async () => {
      screen = open('sudo');
      await shown(CHROME_ROW, /▸ tailscaled unsigned /, /▸ Spotify untrusted /);
      screen.type('0');
      await shown(/ Listeners \d/, /5432 .*postgres/, /41641 .*tailscaled/, /49159 .*rapportd/);
      await quit();
    });

    it('puts a helper below the app that started it, as ps tells', async () => {
      screen = open('sudo');
      await shown(CHROME_ROW);
      screen.type('2B');
      await shown(/ Apps by what started them \d/, /^│.▸ Google Chrome .* 2227 +ann /m, /^│.▸ node .* 53147 +ann /m);
      await quit();
    });

    it('says why libpcap is not used', async () => {
      mac.refusePktap();
      screen = open('root');
      await shown(/^ netmon-tui {2}en0,utun4,lo0 · tcpdump \(fallback: c\) · owners by pktap /, CHROME_ROW);
      screen.type('c');
      await shown(/not libpcap +no permission to capture on/, /runs as +nobody, root given up/);
      await quit();
    });

    it('says that the capture was lost and goes on', async () => {
      screen = open('sudo');
      await shown(CHROME_ROW);
      mac.destroy('pktap0');
      await shown(/^ ! not measured for \d+s: interface, the capture through libpcap was lost/m);
      await shown(/^ netmon-tui {2}en0,utun4,lo0 · tcpdump \(fallback: c\) · owners by pktap /);
      await quit();
    });

    it('shows what nettop reports without root', async () => {
      screen = open('ann');
      await shown(
        /· nettop \(fallback: c\) · owners by nettop +▼ /,
        /^ ! reduced: payload of sockets, once a second, no packets\. For all of it: sudo /m,
        CHROME_ROW,
        row('postgres', 53_245, 'ann'),
      );
      await quit();
      expect(mac.calls.filter((call) => call.startsWith('0 '))).toEqual([]);
    });
  });
});
