import { describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../../../src/cli/command-line.ts';
import { alertsCommand } from '../../../../src/cli/history/alerts.ts';
import type { RecordedAlert } from '../../../../src/model/alert.ts';
import { formatDateTime } from '../../../../src/view/text/format.ts';
import { alert } from '../../../support/history.ts';
import { NOW } from './answers.ts';
import { FakeReader, fakeIo } from './fake-io.ts';

const recorded = (changes: Partial<RecordedAlert>): RecordedAlert => ({
  ...alert({ time: NOW - 3_600_000, details: ['usual: 3 other domains'] }),
  deliveries: [],
  ...changes,
});

async function run(words: string[], raised: readonly RecordedAlert[], columns?: number) {
  const reader = new FakeReader();
  reader.raised = [...raised];
  const io = fakeIo(reader, columns);
  const status = await alertsCommand(parseCommandLine(['alerts', ...words]), { ascii: false, color: true }, '/x', io);
  return { status, out: io.out.text };
}

describe('alerts', () => {
  it('are listed with their details and what became of them', async () => {
    const when = (time: number) => formatDateTime(time).slice(0, 16);
    const { out, status } = await run(
      [],
      [
        recorded({ held: 'learning' }),
        recorded({
          time: NOW - 60_000,
          kind: 'upload',
          severity: 'critical',
          text: 'rclone sent 5.2 GB this hour; usual is 120 MB at most.',
          details: [],
          deliveries: [
            { sink: 'desktop', time: NOW, failure: null },
            { sink: 'webhook', time: NOW, failure: 'no route' },
          ],
        }),
      ],
    );
    expect(status).toBe(0);
    expect(out.split('\n')).toEqual([
      `Alerts from ${when(NOW - 86_400_000 - 60_000)} to ${when(NOW)}`,
      '2 alerts',
      '',
      `${when(NOW - 3_600_000)}  info      new-domain        curl reached example.com for the first time.`,
      `${' '.repeat(46)}usual: 3 other domains`,
      `${' '.repeat(46)}not delivered: learning`,
      `${when(NOW - 60_000)}  critical  upload            rclone sent 5.2 GB this hour; usual is 120 MB at most.`,
      `${' '.repeat(46)}${formatDateTime(NOW)} delivered by desktop`,
      `${' '.repeat(46)}${formatDateTime(NOW)} given up by webhook: no route`,
      '',
    ]);
  });

  it('are wrapped on a narrow terminal, and none is said', async () => {
    const { out } = await run([], [recorded({})], 72);
    expect(out.split('\n').every((line) => line.replace(/\u001b\[\d+m/g, '').length <= 72)).toBe(true);
    expect(out).toContain('for the first time.');
    expect((await run(['--since', '1m'], [recorded({})])).out).toMatch(/\nnone\n$/);
  });

  it('are JSON lines with what became of them', async () => {
    const deliveries = [{ sink: 'hook', time: NOW, failure: null }];
    const { out } = await run(['--json'], [recorded({ deliveries }), recorded({ id: 'b' })]);
    const [first, second, end] = out.split('\n');
    expect(JSON.parse(first ?? '')).toMatchObject({
      type: 'alert',
      schema: 1,
      kind: 'new-domain',
      deliveries: [{ sink: 'hook', time: new Date(NOW).toISOString(), failure: null }],
    });
    expect([JSON.parse(second ?? '').id, end]).toEqual(['b', '']);
  });

  it('make status 10 with --exit-code, but not those of learning and muted ones', async () => {
    const one = [recorded({})];
    expect((await run([], one)).status).toBe(0);
    expect((await run(['--exit-code'], one)).status).toBe(10);
    expect((await run(['--exit-code'], [])).status).toBe(0);
    expect((await run(['--exit-code'], [recorded({ held: 'learning' }), recorded({ held: 'muted' })])).status).toBe(0);
    expect((await run(['--exit-code', '--severity', 'warning'], one)).status).toBe(0);
    expect((await run(['--exit-code', '--severity', 'warning'], [recorded({ severity: 'critical' })])).status).toBe(10);
  });
});
