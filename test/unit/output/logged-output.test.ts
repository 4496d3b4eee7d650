import { describe, expect, it } from 'vitest';
import type { LogLevel } from '../../../src/model/options.ts';
import type { CaptureStatus, FlowRow, Snapshot } from '../../../src/model/snapshot.ts';
import { loggedOutput } from '../../../src/output/logged-output.ts';
import type { Output } from '../../../src/output/output.ts';

const CAPTURE = {
  driver: 'libpcap',
  file: null,
  interfaces: ['eth0'],
  attribution: 'ebpf',
  packets: 10,
  dropped: 0,
  shed: 0,
  fallbacks: [],
  note: '',
  privileges: null,
  history: null,
} as unknown as CaptureStatus;
const FLOW = {
  protocol: 'tcp',
  local: { address: '192.0.2.1', port: 50_000 },
  remote: { address: '198.51.100.2', port: 443 },
  app: 'curl',
  pid: 7,
  attribution: 'exact',
  host: 'example.com',
  rxBytes: 1,
  txBytes: 2,
} as FlowRow;

function logged(level: LogLevel = 'info', wantsEvents = false) {
  const lines: string[] = [];
  const calls: string[] = [];
  const inner: Output = {
    wantsEvents,
    sample: () => void calls.push('sample'),
    opened: () => calls.push('opened'),
    closed: () => calls.push('closed'),
    gap: () => calls.push('gap'),
    end: () => Promise.resolve(void calls.push('end')),
  };
  const write = (at: LogLevel, text: string) =>
    void (at === 'debug' && level !== 'debug' ? undefined : lines.push(`${at} ${text}`));
  const output = loggedOutput(inner, { level, write });
  let time = 0;
  const sample = (change: Partial<CaptureStatus> = {}) => {
    lines.length = 0;
    time += 1000;
    void output.sample({ time, capture: { ...CAPTURE, ...change } } as Snapshot, () => Promise.resolve());
    return [...lines];
  };
  return { lines, calls, output, sample };
}

describe('a logged output', () => {
  it('tells at first what captures and who names owners, and then only what changes', () => {
    const { sample } = logged();
    const fallbacks = [{ driver: 'libpcap' as const, reason: 'koffi could not be loaded' }];
    expect(sample({ driver: 'cap', fallbacks })).toEqual([
      'info not used: libpcap',
      'info capture driver: cap',
      'info owners from: ebpf',
      'info interface eth0: captured',
    ]);
    expect(sample({ driver: 'cap', fallbacks })).toEqual([]);
    expect(sample({ driver: 'cap', fallbacks, attribution: 'procfs' })).toEqual(['info owners from: procfs']);
  });

  it('tells interfaces that come and go, and what is wrong', () => {
    const { sample } = logged();
    sample();
    expect(sample({ interfaces: ['wlan0'], note: 'eth0 is down' })).toEqual([
      'info interface wlan0: captured',
      'info interface eth0: no longer captured',
      'warn capture: something is wrong (--log-level debug says more)',
    ]);
    expect(sample({ interfaces: ['wlan0'] })).toEqual(['info capture: nothing is wrong']);
  });

  it('tells privileges and history, without the name of the user', () => {
    const { sample } = logged();
    sample();
    const privileges = { user: 'ann', uid: 501, dropped: true, kept: ['net_raw'], note: '' };
    const history = { state: 'recording' as const, path: '/home/ann/h', note: '', savedAt: null, fileBytes: null };
    expect(sample({ privileges, history })).toEqual([
      'info privileges: uid 501, root was given up, keeps net_raw',
      'info history: recording',
    ]);
    expect(sample({ privileges, history: { ...history, savedAt: 5, fileBytes: 4096 } })).toEqual([
      'info history: saved, 4096 bytes',
    ]);
    expect(sample({ privileges, history: { ...history, savedAt: 5, state: 'failing', note: 'the disk is full' } })).toEqual([
      'warn history: failing (--log-level debug says more)',
    ]);
  });

  it('tells losses once in a while, and gaps at once', () => {
    const { sample, output, lines, calls } = logged();
    expect(sample({ dropped: 3, shed: 1 })).toContain(
      'warn 3 packets dropped by the kernel, 1 packet dropped by netmon-tui; since the start 3 packets dropped by the kernel, 1 packet dropped by netmon-tui',
    );
    expect(sample({ dropped: 5, shed: 1 })).toEqual([]);
    lines.length = 0;
    output.gap({ from: 0, to: 90_500, reason: 'sleep', detail: 'the machine slept' });
    expect(lines).toEqual(['warn gap of 90.5 s (sleep)']);
    expect(calls.at(-1)).toBe('gap');
  });

  it('tells words that came from elsewhere only for debug', async () => {
    const secrets = ['192.0.2.77', '2001:db8::77', 'nas.example.com', '/home/ann/h', 'ann', 'evil\ninfo capture'];
    const told = async (level: LogLevel) => {
      const { output, lines } = logged(level);
      const all: string[] = [];
      for (const secret of secrets) {
        const capture = {
          ...CAPTURE,
          file: '/home/ann/x.pcapng',
          interfaces: [secret],
          note: `reduced: ${secret}`,
          fallbacks: [{ driver: 'libpcap', reason: `Cannot find module ${secret}` }],
          privileges: { user: secret, uid: 501, dropped: true, kept: [], note: `the home of ${secret}` },
          history: { state: 'failing', path: secret, note: `EACCES ${secret}`, savedAt: null, fileBytes: null },
        };
        await output.sample({ time: 1, capture } as unknown as Snapshot, () => Promise.resolve());
        output.gap({ from: 0, to: 1, reason: 'interface', detail: `the route moved to ${secret}` });
        output.opened({ ...FLOW, host: secret, app: secret });
        await output.end({ time: 2, capture } as unknown as Snapshot);
      }
      all.push(...lines);
      return all;
    };
    const info = (await told('info')).join('\n');
    const debug = (await told('debug')).join('\n');
    for (const secret of secrets) expect([secret, info.includes(secret), debug.includes(secret)]).toEqual([secret, false, true]);
    expect(info).toContain('gap of 0.0 s (interface)');
  });

  it('tells flows, with names and addresses, only for debug', async () => {
    const info = logged();
    info.output.opened(FLOW);
    expect([info.output.wantsEvents, info.lines]).toEqual([false, []]);
    const { output, lines, calls } = logged('debug');
    expect(output.wantsEvents).toBe(true);
    output.closed(FLOW);
    expect(lines).toEqual([
      'debug flow closed: tcp 192.0.2.1 port 50000 198.51.100.2 port 443, example.com, curl (pid 7, exact), 1 bytes received, 2 sent',
    ]);
    expect(calls).toEqual([]); // the output itself doesn't want them
    await output.end({ time: 0, capture: CAPTURE } as Snapshot);
    expect([lines.at(-1), calls]).toEqual(['info end of the run: 10 packets', ['end']]);
  });
});
