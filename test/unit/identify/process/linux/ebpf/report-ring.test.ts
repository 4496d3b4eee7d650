import { describe, expect, it } from 'vitest';
import { REPORT, REPORT_BYTES } from '../../../../../../src/identify/process/linux/ebpf/socket-programs.ts';
import { FakeReportRing, reportBytes } from '../../../../../support/fake-report-ring.ts';

const text = (pid: number) => ({ pid, comm: 'a', protocol: 17, source: '192.0.2.1', destination: '192.0.2.2' });

/** Pids of the reports from one drain. */
function drained(fake: FakeReportRing, limit = 1000): number[] {
  const pids: number[] = [];
  const view = Buffer.from(fake.ring.bytes.buffer, fake.ring.bytes.byteOffset);
  fake.ring.drain((at) => pids.push(view.readUInt32LE(at + REPORT.OWNER + 4)), limit);
  return pids;
}

describe('ReportRing', () => {
  it('returns reports in order, each once', () => {
    const fake = new FakeReportRing();
    expect(fake.ring.hasReports).toBe(false);
    for (const pid of [3, 4, 5]) fake.push(text(pid));
    expect(fake.ring.hasReports).toBe(true);
    expect([drained(fake), drained(fake), fake.ring.hasReports, fake.ring.count]).toEqual([[3, 4, 5], [], false, 3]);
  });

  it('tells the kernel how far it read, which frees the space', () => {
    const fake = new FakeReportRing();
    fake.push(text(3));
    drained(fake);
    expect(fake.read).toBe(REPORT_BYTES + 8);
  });

  it('stops at its limit and continues there', () => {
    const fake = new FakeReportRing();
    for (let pid = 1; pid <= 5; pid++) fake.push(text(pid));
    expect([drained(fake, 2), drained(fake, 2), drained(fake, 2)]).toEqual([[1, 2], [3, 4], [5]]);
  });

  it('waits for a record that is still being written, and doesn’t read past it', () => {
    const fake = new FakeReportRing();
    fake.push(text(1));
    const commit = fake.pushBytes(reportBytes(text(2)), 'busy');
    fake.push(text(3));
    expect(drained(fake)).toEqual([1]);
    expect(drained(fake)).toEqual([]);
    commit();
    expect(drained(fake)).toEqual([2, 3]);
  });

  it('skips discarded records and those that aren’t reports', () => {
    const fake = new FakeReportRing();
    fake.pushBytes(reportBytes(text(1)), 'discarded');
    fake.pushBytes(Buffer.alloc(13));
    fake.push(text(2));
    expect(drained(fake)).toEqual([2]);
  });

  it('wraps around many times', () => {
    const fake = new FakeReportRing(4096);
    const seen: number[] = [];
    for (let pid = 1; pid <= 500; pid++) {
      fake.push(text(pid));
      if (pid % 7 === 0) seen.push(...drained(fake));
    }
    seen.push(...drained(fake));
    expect(seen).toEqual(Array.from({ length: 500 }, (_, i) => i + 1));
  });
});
