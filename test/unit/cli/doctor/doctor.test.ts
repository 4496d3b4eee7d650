import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { PacketBatch } from '../../../../src/capture/batch.ts';
import { DriverUnavailable } from '../../../../src/capture/errors.ts';
import type { DriverTable } from '../../../../src/capture/opener.ts';
import type { PacketSource } from '../../../../src/capture/source.ts';
import { type DoctorIo, doctor } from '../../../../src/cli/doctor/doctor.ts';
import { answerOf, redactor } from '../../../../src/cli/doctor/step.ts';
import type { NotifyOptions } from '../../../../src/model/delivery.ts';
import { NetmonError } from '../../../../src/model/errors.ts';
import type { Edges } from '../../../../src/system/edges.ts';
import { fakeEdges, interfaceInfo, sysfs } from '../../../support/fake-edges.ts';
import { lineFaults } from '../../../support/schemas.ts';
import { NETSTAT, ROUTE } from '../../capture/macos-texts.ts';

const IDENTITY = { host: 'anna-mbp.example.net', user: 'anna', home: '/Users/anna' };

/** A source that gives one batch of three frames, two of them with a process. */
function source(closed: string[]): PacketSource {
  const batch = new PacketBatch(4, new Uint8Array(16));
  batch.count = 3;
  batch.process[0] = 1;
  batch.effective[1] = 1;
  let given = false;
  return {
    driver: 'libpcap',
    interfaces: [{ name: 'en0', kind: 'physical', link: 1, deliversTwice: false }],
    processes: [],
    namesProcesses: true,
    snapLength: { bulk: 1, whole: 1 },
    bufferBytes: 1 << 20,
    state: 'open',
    note: 'seen at 192.0.2.17',
    read: () => {
      if (given) return null;
      given = true;
      return batch;
    },
    stats: () => ({ received: 3, droppedByKernel: null, droppedByInterface: null, shed: 0, malformed: 0 }),
    close: () => void closed.push('closed'),
  };
}

async function report(
  edges: Edges,
  io: Partial<DoctorIo> = {},
  asked: { json?: boolean; config?: string; notify?: NotifyOptions } = {},
): Promise<{ text: string; status: number; closed: string[] }> {
  const closed: string[] = [];
  const parts: string[] = [];
  let time = 0;
  const drivers: DriverTable = {
    libpcap: () => Promise.resolve(source(closed)),
    tcpdump: () => Promise.reject(new NetmonError('permission', 'no permission to capture on 10.1.2.3', 'type: sudo netmon-tui')),
    cap: () => Promise.reject(new DriverUnavailable('the package cap is not built', 'type: npm rebuild cap')),
  };
  const status = await doctor(
    {
      interfaces: [],
      bpf: null,
      privileges: { user: null, dropAll: false, stayRoot: false, sandbox: false },
      history: null,
      json: asked.json ?? false,
      config: asked.config ?? null,
      notify: asked.notify ?? null,
      deliver: false,
    },
    edges,
    { write: (part: string) => void parts.push(part) },
    {
      version: '9.9.9',
      commit: 'abc1234',
      clock: { now: () => time, monotonic: () => (time += 400) },
      drivers,
      env: { TERM: 'xterm-256color', LANG: 'de_DE.UTF-8', HOME: '/Users/anna' },
      terminal: { isTTY: true, columns: 200, rows: 40 },
      identity: IDENTITY,
      sudo: 'type: sudo bin/netmon-tui.js doctor',
      openMs: 1000,
      stepMs: 10_000,
      ...io,
    },
  );
  return { text: parts.join(''), status, closed };
}
const line = (text: string, name: string) =>
  text
    .split('\n')
    .find((found) => found.includes(` ${name} `))
    ?.trim();

const CHOSEN = '-L 1 -x -n -J interface,state,bytes_in,bytes_out';
const MAC = {
  platform: 'darwin' as const,
  euid: 501,
  interfaces: { en0: [interfaceInfo('192.0.2.17'), interfaceInfo('fe80::1')] },
  programs: {
    'netstat -ibn': { stdout: NETSTAT },
    'route -n get default': { stdout: ROUTE.replace('en1', 'en0') },
    'sw_vers -productVersion': { stdout: '26.1\n' },
    'tcpdump --version': { stdout: 'tcpdump version 4.99.1 -- Apple version 148\nlibpcap version 1.10.1\n' },
    'lsof -nP -w -i4 -i6 -F pcuPnTt': { stdout: 'p1\ncanna-app\nu501\nf1\ntIPv4\nPUDP\nn192.0.2.17:5353\n' },
    [`nettop ${CHOSEN}`]: { stdout: `,interface,state,\nanna-app.7,,,\ntcp4 192.0.2.17:1<->192.0.2.9:2,en0,Established,\n` },
    'ps -axww -o pid=,ppid=,uid=,tty=,lstart=,comm=': { stdout: '1 0 0 /sbin/launchd\n2 1 501 sh\n' },
  },
};

describe('doctor on a Mac', () => {
  it('reports each step with its reason and way out', async () => {
    const { text, status, closed } = await report(fakeEdges(MAC));
    expect(status).toBe(0);
    expect(line(text, 'netmon-tui')).toMatch(/^ok +netmon-tui +9\.9\.9, commit abc1234$/);
    expect(line(text, 'system')).toMatch(/^ok +system +macOS 26\.1, Darwin /);
    expect(line(text, 'tcpdump')).toMatch(/^ok +tcpdump +tcpdump version 4\.99\.1 -- Apple version 148$/);
    expect(line(text, 'user')).toMatch(/^no +user +not root$/);
    expect(line(text, '/dev/bpf0')).toMatch(/^(no|ok) +/);
    expect(line(text, 'default route')).toMatch(/^ok +default route +en0$/);
    expect(line(text, 'counters')).toMatch(/^ok +counters +7 of 7 interfaces$/);
    expect(line(text, 'driver libpcap')).toMatch(
      /^ok .*3 packets in 1 s; received 3, dropped by the kernel unknown, dropped by netmon-tui 0; 2 with a process; ring 1024 KiB; en0 link 1; seen at \[address\]$/,
    );
    expect(line(text, 'driver tcpdump')).toMatch(/^no .*no permission to capture on \[address\]$/);
    expect(text).toMatch(/ user +not root\n +type: sudo bin\/netmon-tui\.js doctor\n/);
    expect(line(text, 'driver cap')).toBe('skipped driver cap      only on Linux');
    expect(line(text, 'owners: lsof')).toMatch(/^ok .*1 socket of 1 process$/);
    expect(line(text, 'owners: PKTAP')).toMatch(/^ok .*2 of 3 packets from libpcap carry a process$/);
    expect(line(text, 'owners: nettop')).toMatch(/^ok .*1 flow of 1 process; columns interface state$/);
    expect(line(text, 'owners: ps')).toMatch(/^ok .*2 processes, 1 with a path$/);
    expect(line(text, 'size')).toMatch(/^ok +size +200x40$/);
    expect(line(text, 'UTF-8')).toMatch(/^ok +UTF-8 +de_DE\.UTF-8$/);
    expect(text).toMatch(/\n\d+ steps do not work\n$/);
    expect(closed).toEqual(['closed']);
  });

  it('as JSON is one object with the same steps, and nothing of this machine in it', async () => {
    const { text } = await report(fakeEdges(MAC), {}, { json: true });
    expect(text.match(/\n/g)).toHaveLength(1);
    const told = JSON.parse(text) as {
      failed: number;
      steps: { part: string; step: string; result: string; remedy: string | null }[];
    };
    expect(told).toMatchObject({ type: 'doctor', schema: 1, version: '9.9.9' });
    expect(lineFaults(told)).toEqual([]);
    expect(told.failed).toBe(told.steps.filter(({ result }) => result === 'no').length);
    expect(told.failed).toBeGreaterThan(1);
    expect(told.steps).toContainEqual({
      part: 'capture',
      step: 'driver tcpdump',
      result: 'no',
      detail: 'no permission to capture on [address]',
      remedy: 'type: sudo bin/netmon-tui.js doctor',
    });
    expect(told.steps).toContainEqual(
      expect.objectContaining({ part: 'interfaces', step: 'default route', detail: 'en0', remedy: null }),
    );
    const { text: plain } = await report(fakeEdges(MAC));
    expect(told.steps.map(({ step }) => step)).toEqual(
      plain.split('\n').flatMap((row) => /^ {2}(?:ok|no|skipped) +(\S.*?)(?: {2,}|(?<=^.{25}) )/.exec(row)?.[1] ?? []),
    );
    for (const word of ['anna', '192.0.2', '10.1.2.3']) expect(text).not.toContain(word);
  });

  it('wraps details on a terminal, under the first line, and nowhere else', async () => {
    const at = async (isTTY: boolean, columns: number) =>
      (await report(fakeEdges(MAC), { terminal: { isTTY, columns, rows: 40 } })).text;
    const narrow = await at(true, 80);
    for (const row of narrow.split('\n')) if (!row.includes('type: ')) expect(row.length, row).toBeLessThanOrEqual(80);
    expect(narrow).toMatch(/^ {2}ok {6}driver libpcap {2}3 packets .*\n {26}\S/m);
    const words = (text: string) => text.split(/\s+/);
    expect(words(narrow.replace('80x40', ''))).toEqual(words((await at(true, 4000)).replace('4000x40', '')));
    expect(await at(false, 40)).toMatch(/3 packets .{60}/);
  });

  it('examines the configuration file that was named', async () => {
    const { text } = await report(fakeEdges(MAC), {}, { config: '/nowhere/netmon.toml' });
    expect(line(text, 'configuration')).toBe(
      'no      configuration   the configuration file "/nowhere/netmon.toml" does not exist',
    );
  });

  it('says which packets are kept', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nmt-packets-'));
    const file = join(folder, 'config.toml');
    const found = async (text: string) => {
      writeFileSync(file, text);
      return line((await report(fakeEdges(MAC), { env: { NETMON_CONFIG: file } })).text, 'packets kept');
    };
    try {
      expect(await found('')).toBe('ok      packets kept    none: --keep-packets 60s keeps the last minute, for P to write');
      expect(await found('[packets]\nkeep = "60s"\nsnap = "full"\non-alert = true\nfolder = "/srv/evidence"\n')).toBe(
        'ok      packets kept    1m, in 64 MiB of memory at most, whole, those behind alerts for 30d in /srv/evidence',
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('names the rules that history does not help', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nmt-rules-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, 'config.toml');
    const amount = 'over = "1 GB"\nper = "day"\n';
    writeFileSync(
      file,
      `[[alert]]\nname = "one"\nwhen = "app:curl"\n${amount}[[alert]]\nname = "two"\nwhen = "port:443 or example"\n${amount}`,
    );
    const found = line((await report(fakeEdges(MAC), { env: { NETMON_CONFIG: file } })).text, 'rules');
    expect(found).toBe(
      'ok      rules           2 rules; two counts from the start of each run, because history lacks port and what a bare word searches',
    );
  });

  it('reads the policy, and says where it is mistaken', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'netmon-doctor-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'home.toml');
    const policyLine = async () => line((await report(fakeEdges(MAC), { env: { NETMON_POLICY: file } })).text, 'policy');
    writeFileSync(file, 'strict = true\n[app.curl]\nallow = ["a.com", "b.com"]\n', { mode: 0o600 });
    expect(await policyLine()).toBe(`ok      policy          ${file}: 1 app, 2 entries, strict`);
    writeFileSync(file, '[app.curl]\nallow = ["a b"]\n');
    expect(await policyLine()).toContain(`no      policy          ${file}:2: "a b" is neither a host`);
    expect(line((await report(fakeEdges(MAC), { env: {} })).text, 'policy')).toBe('ok      policy          none');
  });

  it('says a way out once, and that of a package only where it is needed', async () => {
    const refuse = (driver: string) => () =>
      Promise.reject(new NetmonError('permission', `no ${driver}`, 'type: sudo netmon-tui'));
    const cap = () => Promise.reject(new DriverUnavailable('the package cap is not built', 'type: npm rebuild cap'));
    const drivers = { libpcap: refuse('libpcap'), tcpdump: refuse('tcpdump'), cap };
    expect((await report(fakeEdges(MAC), { drivers })).text.match(/type: sudo/g)).toHaveLength(1);
    const linux = fakeEdges({ euid: 1000 });
    const { text } = await report(linux, { drivers });
    expect(line(text, 'driver cap')).toMatch(/^skipped .*; not needed, because libpcap lacks only permission$/);
    const broken = () => Promise.reject(new DriverUnavailable('libpcap could not be loaded'));
    const without = await report(linux, { drivers: { ...drivers, libpcap: broken, tcpdump: broken } });
    expect(without.text).toMatch(/driver cap +the package cap is not built\n +type: npm rebuild cap\n/);
  });

  it('leaves out who and where', async () => {
    const noisy = {
      ...MAC,
      programs: {
        ...MAC.programs,
        'tcpdump --version': {
          stdout: 'tcpdump of anna on anna-mbp.example.net (ANNA-MBP) in /Users/anna/bin 02:00:5e:10:00:01 [2001:db8::1]:443\n',
        },
      },
    };
    const { text } = await report(fakeEdges(noisy));
    expect(text).toMatch(/tcpdump of \[user\] on \[host\] \(\[host\]\) in ~\/bin \[address\] /);
    for (const secret of ['anna', 'example.net', '192.0.2.17', 'fe80', '10.1.2.3', '2001:db8', '02:00:5e'])
      expect(text.toLowerCase()).not.toContain(secret);
  });

  it('says what each source of owners gives, and what not', async () => {
    const stepOf = async (step: string, programs: Record<string, object>, io: Partial<DoctorIo> = {}) =>
      line((await report(fakeEdges({ platform: 'darwin', programs: { ...MAC.programs, ...programs } }), io)).text, step);
    const refused = { [`nettop ${CHOSEN}`]: { status: 64 } };
    const plain = { 'nettop -L 1 -x -n': { stdout: 'time,,interface,\n1,a.7,,\n1,tcp4 192.0.2.17:1<->192.0.2.9:2,en0,\n' } };
    expect(await stepOf('owners: nettop', { ...refused, ...plain })).toMatch(
      /^ok .*1 flow of 1 process; columns time interface; chosen columns are refused \(status 64\)$/,
    );
    expect(await stepOf('owners: nettop', { ...refused, 'nettop -L 1 -x -n': { status: 1 } })).toMatch(
      /^no .*it lists no processes \(status 1\); chosen columns/,
    );
    expect(await stepOf('owners: nettop', { [`nettop ${CHOSEN}`]: { cut: 'time', status: null } })).toMatch(/^no .*it hangs$/);
    expect(await stepOf('owners: lsof', { 'lsof -nP -w -i4 -i6 -F pcuPnTt': { cut: 'size' } })).toMatch(
      /^no .*it prints too much$/,
    );
    expect(await stepOf('owners: ps', { 'ps -axww -o pid=,ppid=,uid=,tty=,lstart=,comm=': {} })).toMatch(
      /^no .*it lists nothing$/,
    );

    const refuse = () => Promise.reject(new NetmonError('permission', 'no', null));
    const silent = () => Promise.resolve({ ...source([]), read: () => null });
    const drivers = (libpcap: DriverTable['libpcap']) => ({ drivers: { libpcap, tcpdump: refuse, cap: refuse } });
    expect(await stepOf('owners: PKTAP', {}, drivers(refuse))).toMatch(/^no .*no driver opened it; owners are polled$/);
    expect(await stepOf('owners: PKTAP', {}, drivers(silent))).toMatch(
      /^skipped .*libpcap opened it, but no packet came to show a pid$/,
    );
    const nameless = () => {
      const empty = new PacketBatch(1, new Uint8Array(1));
      empty.count = 1;
      let given = false;
      const read = () => {
        const batch = given ? null : empty;
        given = true;
        return batch;
      };
      return Promise.resolve({ ...source([]), read });
    };
    expect(await stepOf('owners: PKTAP', {}, drivers(nameless))).toMatch(/^no .*0 of 1 packet from libpcap carry a process$/);
  });

  it('says what could not be run', async () => {
    const { text } = await report(fakeEdges({ platform: 'darwin', euid: 0 }));
    expect(line(text, 'tcpdump')).toMatch(/^no .*can't be run: ENOENT$/);
    expect(line(text, 'interfaces')).toMatch(/^no .*none is visible$/);
    expect(line(text, 'default route')).toMatch(/^no .*offline$/);
    for (const program of ['lsof', 'nettop', 'ps'])
      expect(line(text, `owners: ${program}`)).toMatch(/^no .*can't be run: ENOENT$/);
  });
});

describe('doctor on Linux', () => {
  const files = {
    ...sysfs('eth0', { ifindex: 2, flags: '0x1003', operstate: 'up', type: 1, 'device/vendor': '1' }),
    'proc/self/status': 'Name:\tnode\nCapEff:\t0000000000002000\n',
    'proc/net/tcp': 'sl\n',
    'proc/10/cmdline': 'sshd',
    'proc/10/fd/0': 'x',
    'proc/11/cmdline': 'other',
    'proc/12/cmdline': '',
  };

  it('tells capabilities and what of procfs is hidden', async () => {
    const { text } = await report(fakeEdges({ files, euid: 1000 }));
    expect(line(text, 'capabilities')).toMatch(/^ok +capabilities +net_raw$/);
    expect(line(text, 'driver tcpdump')).toMatch(/^skipped .*only on macOS$/);
    expect(line(text, 'owners: procfs')).toMatch(
      /^no .*tables tcp; descriptors of 1 of 2 processes: those of other users are hidden$/,
    );
    const none = await report(fakeEdges({ files: { ...files, 'proc/self/status': 'CapEff:\t0000000000000000\n' } }));
    expect(line(none.text, 'capabilities')).toMatch(/^no .*none; capturing takes net_raw$/);
  });

  it('judges the terminal', async () => {
    const judge = async (io: Partial<DoctorIo>) => (await report(fakeEdges({ files }), io)).text;
    expect(line(await judge({ env: { TERM: 'dumb' } }), 'terminal')).toMatch(/^no .*TERM=dumb/);
    expect(line(await judge({ terminal: { isTTY: true, columns: 60, rows: 10 } }), 'size')).toMatch(/^no +size +60x10/);
    expect(line(await judge({ terminal: { isTTY: false, columns: undefined, rows: undefined } }), 'terminal')).toMatch(
      /^skipped /,
    );
    expect(line(await judge({ env: { TERM: 'xterm', LANG: 'de_DE.ISO-8859-1' } }), 'UTF-8')).toMatch(/^no /);
    expect(line(await judge({ env: { TERM: 'xterm' } }), 'UTF-8')).toMatch(/^ok .*assumed$/);
  });

  it('cuts a driver that hangs and goes on', async () => {
    const hang = () => new Promise<PacketSource>(() => undefined);
    const { text } = await report(fakeEdges({ files }), { drivers: { libpcap: hang, tcpdump: hang, cap: hang }, stepMs: 300 });
    expect(line(text, 'driver libpcap')).toMatch(/^no .*no answer within 0\.3 s: it hangs$/);
    expect(line(text, 'owners: procfs')).toBeDefined();
  });
});

describe('answerOf', () => {
  it('makes a finding of everything thrown', async () => {
    const thrown = (what: unknown) =>
      answerOf(
        {
          name: 'x',
          ask: () => {
            throw what;
          },
        },
        1000,
      );
    expect(await thrown(new TypeError('bug'))).toEqual({ result: 'no', detail: 'bug', wayOut: null });
    expect(await thrown(new NetmonError('usage', 'm', 'h'))).toEqual({ result: 'no', detail: 'm', wayOut: 'h' });
  });
});

describe('redactor', () => {
  const redact = redactor(IDENTITY);

  it.each([
    ['10.0.0.1:443 and 10.0.0.1', '[address]:443 and [address]'],
    ['fe80::1%en0, ::1, 2001:DB8::7', '[address], [address], [address]'],
    ['::ffff:192.0.2.1.', '[address].'],
    ['/home/otto/x and /Users/anna/y', '~/x and ~/y'],
    ['annabel and Anna', 'annabel and [user]'],
    [
      'libpcap 1.10.3, Linux 6.18.44-x, 3 packets in 1.5 s, 12:30:05',
      'libpcap 1.10.3, Linux 6.18.44-x, 3 packets in 1.5 s, 12:30:05',
    ],
    ['driver: gone; owners: none', 'driver: gone; owners: none'],
    ['\u001b[31mred', '[31mred'],
  ])('%j becomes %j', (text, clean) => {
    expect(redact(text)).toBe(clean);
  });

  it('does not take root or an empty name for a person', () => {
    expect(redactor({ host: 'localhost', user: 'root', home: '/root' })('root on localhost in /root/x')).toBe(
      'root on localhost in ~/x',
    );
    expect(redactor({ host: '', user: '', home: '' })('a b')).toBe('a b');
  });
});
