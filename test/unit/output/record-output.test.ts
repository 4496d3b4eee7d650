import { describe, expect, it } from 'vitest';
import type { PacketSource } from '../../../src/capture/source.ts';
import type { EngineStatus } from '../../../src/model/export.ts';
import type { HistoryStatus } from '../../../src/model/history.ts';
import type { CaptureStatus, Snapshot } from '../../../src/model/snapshot.ts';
import { RecordOutput } from '../../../src/output/record-output.ts';
import { snapshot } from './rows.ts';

const SOURCE = { driver: 'libpcap', interfaces: [{ name: 'en0' }] } as unknown as PacketSource;
const GOOD: HistoryStatus = { state: 'recording', path: '/h.sqlite', note: '', savedAt: null, fileBytes: null };

function record() {
  const clock = { now: () => 0, monotonic: () => time };
  let time = 0;
  let said = '';
  const output = new RecordOutput((text) => {
    said += text;
  }, clock);
  const sample = (change: Partial<CaptureStatus>): Snapshot => {
    const base = snapshot({});
    return { ...base, capture: { ...base.capture, note: '', dropped: 0, shed: 0, history: GOOD, ...change } };
  };
  return {
    output,
    sample: (change: Partial<CaptureStatus>) => output.sample(sample(change)),
    end: (change: Partial<CaptureStatus>) => output.end(sample(change)),
    pass: (ms: number) => {
      time += ms;
    },
    take: () => {
      const text = said;
      said = '';
      return text;
    },
  };
}

describe('RecordOutput', () => {
  it('says one line, and nothing more while all is well', () => {
    const { output, sample, take } = record();
    output.begin({ source: SOURCE, attribution: 'pktap', history: GOOD });
    expect(take()).toBe('netmon-tui: recording en0, driver libpcap, owners by pktap, into /h.sqlite\n');
    for (let i = 0; i < 5; i++) sample({});
    expect(take()).toBe('');
  });

  it('says what goes wrong once, and when it is well again', () => {
    const { output, sample, take } = record();
    output.begin({ source: SOURCE, attribution: 'pktap', history: GOOD });
    take();
    const failing: HistoryStatus = { ...GOOD, state: 'failing', note: 'the disk\u001b[2J is full' };
    sample({ history: failing, note: 'en0 is down' });
    sample({ history: failing, note: 'en0 is down' });
    expect(take()).toBe('netmon-tui: history, failing: the disk[2J is full\nnetmon-tui: capture: en0 is down\n');
    sample({});
    expect(take()).toBe('netmon-tui: history: recording again, all is well\nnetmon-tui: capture: all is well again\n');
  });

  it('says once what keeps exports from arriving, however long they wait', () => {
    const { sample, take } = record();
    const engine: EngineStatus = {
      engine: 'clickhouse',
      to: 'db.example',
      acknowledged: null,
      sent: 0,
      waiting: 1,
      behindSince: 0,
      failure: 'nobody\u001b[2J listens there',
      refused: null,
      deleted: null,
      next: 1,
    };
    const exports = (changes: Partial<EngineStatus>, isLeft = false) =>
      sample({ exports: { engines: [{ ...engine, ...changes }], note: '', isLeft } });
    exports({});
    exports({ waiting: 2, next: 5 });
    expect(take()).toBe('netmon-tui: exports: clickhouse: nobody[2J listens there\n');
    exports({ failure: null });
    expect(take()).toBe('netmon-tui: exports: sent again\n');
    exports({}, true);
    expect(take()).toBe('');
  });

  it('says once that packets are no longer written', () => {
    const { sample, take } = record();
    const writing = {
      ...{ path: '/x.pcapng', bytes: 0, files: 1, packets: 3, lost: 0, since: null, until: null },
      note: '"/x.pcapng" can\'t be written (ENOSPC)',
    };
    sample({ writing: { ...writing, state: 'writing', note: '' } });
    expect(take()).toBe('');
    for (let i = 0; i < 3; i++) sample({ writing: { ...writing, state: 'failed' } });
    expect(take()).toBe('netmon-tui: packets are no longer written: "/x.pcapng" can\'t be written (ENOSPC)\n');
  });

  it('says that another one records', () => {
    const { output, take } = record();
    output.begin({
      source: SOURCE,
      attribution: 'none',
      history: { ...GOOD, state: 'busy', note: 'another netmon-tui records (pid 7)' },
    });
    expect(take()).toBe(
      'netmon-tui: not recording en0, driver libpcap, owners by none, into /h.sqlite\nnetmon-tui: history, busy: another netmon-tui records (pid 7)\n',
    );
  });

  it('says what keeps alerts from arriving, once, and when they do', () => {
    const { sample, take } = record();
    const channel = { channel: 'webhook', delivered: 0, waiting: 1, lost: 0, failure: null, hold: null, next: null } as const;
    const base = { isReady: true, host: 'x', user: 'ann', note: '', isLeft: false, outcomes: new Map() };
    const fails = { ...base, channels: [{ ...channel, failure: 'ECONNREFUSED' }] };
    sample({ delivery: { ...base, channels: [channel] } });
    expect(take()).toBe('');
    sample({ delivery: fails });
    sample({ delivery: fails });
    expect(take()).toBe('netmon-tui: alerts: webhook: ECONNREFUSED\n');
    sample({ delivery: { ...base, channels: [channel] } });
    expect(take()).toBe('netmon-tui: alerts: delivered again\n');
  });

  it('tells losses once a minute, with their sum', () => {
    const { sample, pass, take } = record();
    sample({ dropped: 3, shed: 1 });
    sample({ dropped: 5, shed: 1 });
    expect(take()).toBe(
      'netmon-tui: 3 packets dropped by the kernel, 1 packet dropped by netmon-tui; since the start 3 packets dropped by the kernel, 1 packet dropped by netmon-tui\n',
    );
    pass(60_000);
    sample({ dropped: 9, shed: 1 });
    expect(take()).toBe(
      'netmon-tui: 6 packets dropped by the kernel; since the start 9 packets dropped by the kernel, 1 packet dropped by netmon-tui\n',
    );
    sample({ dropped: null, shed: 1 });
    expect(take()).toBe('');
  });
});
