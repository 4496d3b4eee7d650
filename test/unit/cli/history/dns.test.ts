import { describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../../../src/cli/command-line.ts';
import { dnsCommand } from '../../../../src/cli/history/dns.ts';
import type { RecordedDns, RecordedQuestion } from '../../../../src/model/dns.ts';
import { formatDateTime } from '../../../../src/view/text/format.ts';
import { asked } from '../../../support/history.ts';
import { lineFaults } from '../../../support/schemas.ts';
import { NOW } from './answers.ts';
import { FakeReader, fakeIo } from './fake-io.ts';

const HOUR = 3_600_000;
const FAILED = { answer: '', answerCount: 0 };
const QUESTIONS: readonly RecordedQuestion[] = [
  asked({ time: NOW - 3 * HOUR, name: 'broken.example.net', result: 'SERVFAIL', tookMs: 1204, ...FAILED }),
  asked({ time: NOW - 2 * HOUR, app: 'mDNSResponder', onBehalfOf: 'Safari', name: 'news.example.org' }),
  asked({
    time: NOW - HOUR,
    app: null,
    reason: 'forwarded',
    name: 'lost.example.com',
    result: 'no answer',
    tookMs: null,
    ...FAILED,
  }),
  asked({
    time: NOW - 60_000,
    name: 'printer.local',
    type: 'A',
    transport: 'mdns',
    resolver: { address: 'fe80::9', port: 5353 },
  }),
];

const ENCRYPTED: RecordedDns['encrypted'] = [
  {
    app: 'firefox',
    reason: null,
    host: 'mozilla.cloudflare-dns.com',
    transport: 'https',
    connections: 3,
    rxBytes: 1_048_576,
    txBytes: 262_144,
    lastSeen: NOW - 2 * HOUR,
  },
  {
    app: null,
    reason: 'forwarded',
    host: '9.9.9.9',
    transport: 'tls',
    connections: 1,
    rxBytes: 900,
    txBytes: 100,
    lastSeen: NOW - 60_000,
  },
];

async function run(words: string[], columns?: number) {
  const reader = new FakeReader();
  reader.questions = [...QUESTIONS];
  reader.encrypted = ENCRYPTED;
  const io = fakeIo(reader, columns);
  const status = await dnsCommand(parseCommandLine(['dns', ...words]), { ascii: false, color: false, units: 'bytes' }, '/x', io);
  return { status, out: io.out.text, lines: io.out.text.trimEnd().split('\n') };
}

describe('dns', () => {
  it('lists what was asked, under what each resolver did', async () => {
    const { lines, status } = await run([]);
    const at = (ms: number) => formatDateTime(NOW - ms);
    expect(status).toBe(0);
    expect(lines).toEqual([
      `DNS from ${at(24 * HOUR + 60_000).slice(0, 16)} to ${at(0).slice(0, 16)}`,
      '4 questions, 2 failed',
      '',
      expect.stringMatching(/^resolver +via +asked +failed +lost +median +95 %$/),
      expect.stringMatching(/^192\.168\.1\.1 +udp +3 +1 +1 +12ms +1204ms$/),
      expect.stringMatching(/^local network +mdns +1 +0 +0 +12ms +12ms$/),
      '',
      expect.stringMatching(/^encrypted to +via +app +connections +bytes$/),
      expect.stringMatching(/^mozilla.cloudflare-dns.com +https +firefox +3 +1\.25 MiB$/),
      expect.stringMatching(/^9\.9\.9\.9 +tls +- forwarded +1 +0\.98 KiB$/),
      '',
      expect.stringMatching(/^time +app +name +type +answer +took +resolver$/),
      expect.stringMatching(new RegExp(`^${at(3 * HOUR)} +curl +broken.example.net +A +SERVFAIL +1204ms +192`)),
      expect.stringMatching(new RegExp(`^${at(2 * HOUR)} +Safari +news.example.org +A +192.0.2.7.* +12ms +192`)),
      expect.stringMatching(new RegExp(`^${at(HOUR)} +- forwar.* +lost.example.com +A +no answer +- +192`)),
      expect.stringMatching(new RegExp(`^${at(60_000)} +curl +printer.local +A +192.0.2.7.* +12ms +fe80`)),
    ]);
  });

  it('takes a time, an app, also one for which a resolver asked, and a filter', async () => {
    const names = async (...words: string[]) =>
      (await run(['--json', ...words])).lines
        .filter(Boolean)
        .map((line) => JSON.parse(line) as RecordedQuestion & { type: string; resolver: string })
        .map(({ type, name, resolver }) => (type === 'dns' ? name : resolver).split('.')[0]);
    expect(await names('--since', '90m')).toEqual(['lost', 'printer', '9']);
    expect(await names('--app', 'Safari')).toEqual(['news']);
    expect(await names('--app', 'firefox')).toEqual(['mozilla']);
    expect(await names('--filter', 'state:servfail or rtt>1s')).toEqual(['broken']);
    expect(await names('--filter', 'application:doh or host:9.9')).toEqual(['mozilla', '9']);
    await expect(run(['--filter', 'app:'])).rejects.toMatchObject({ code: 'bad-filter' });
  });

  it('writes JSON lines as a run does', async () => {
    const { lines } = await run(['--json']);
    const first = JSON.parse(lines[0] as string) as object;
    expect(lineFaults(first as never)).toEqual([]);
    expect(first).toMatchObject({ type: 'dns', name: 'broken.example.net', took_ms: 1204, result: 'SERVFAIL', transport: 'udp' });
    const rest = lines.slice(-2).map((line) => JSON.parse(line));
    expect(rest.flatMap(lineFaults)).toEqual([]);
    expect(rest[0]).toMatchObject({
      type: 'encrypted_dns',
      app: 'firefox',
      transport: 'https',
      connections: 3,
      rx_bytes: 1_048_576,
    });
  });

  it('fits narrow terminals, and says that there is nothing', async () => {
    expect((await run([], 64)).lines.every((line) => line.length <= 64)).toBe(true);
    expect((await run(['--app', 'nobody'])).lines[1]).toBe('nothing was asked, or nothing that is kept');
    expect((await run(['--app', 'firefox'])).lines[1]).toBe('nothing was asked that can be read');
  });
});
