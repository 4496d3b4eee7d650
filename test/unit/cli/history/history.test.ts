import { describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../../../src/cli/command-line.ts';
import { historyCommand } from '../../../../src/cli/history/history.ts';
import { NetmonError } from '../../../../src/model/errors.ts';
import { historyResult, historyRow, NOW } from './answers.ts';
import { FakeReader, fakeIo } from './fake-io.ts';

async function run(words: string[], columns?: number, notice: string | null = null) {
  const reader = new FakeReader();
  reader.notice = notice;
  reader.answer = (query) => historyResult([historyRow()], { query });
  const io = fakeIo(reader, columns);
  const status = await historyCommand(
    parseCommandLine(['history', ...words]),
    { ascii: false, color: true, units: 'bytes' },
    '/x',
    io,
  );
  return { status, out: io.out.text, err: io.err.text, asked: reader.asked, reader };
}

describe('history', () => {
  it('asks for the last 24 hours by app', async () => {
    const { asked, status, out, reader } = await run([]);
    const nothing = { app: null, domain: null, category: null, interface: null, filter: null };
    expect(asked).toEqual([{ from: NOW - 86_400_000 - 60_000, to: NOW, by: 'app', ...nothing, top: 20, steps: 0 }]);
    expect(status).toBe(0);
    expect(out).toContain('curl');
    expect(out).not.toContain('\u001b');
    expect(reader.closed).toBe(1);
  });

  it('says once on standard error what the user should know about the file', async () => {
    const { out } = await run([]);
    expect(await run([], undefined, 'this build of sql.js is another one')).toMatchObject({
      out,
      err: 'netmon-tui: this build of sql.js is another one\n',
    });
  });

  it('asks what the flags say', async () => {
    const words =
      '--since 2026-11-01 --until 2026-11-02 --by host --app curl --domain Example.COM --category Web -i en0 --filter rx>1M --top 5';
    const { asked } = await run(words.split(' '));
    expect(asked[0]).toMatchObject({
      from: new Date(2026, 10, 1).getTime(),
      to: new Date(2026, 10, 3).getTime(),
      by: 'host',
      app: 'curl',
      domain: 'example.com',
      category: 'Web',
      interface: 'en0',
      filter: 'rx>1M',
      top: 5,
    });
  });

  it('colours on a terminal only, and gives programs all rows', async () => {
    expect((await run([], 80)).out).toContain('\u001b[1m');
    expect((await run(['--json'], 80)).asked[0]?.top).toBe(100_000);
    expect(JSON.parse((await run(['--json'])).out)).toMatchObject({ type: 'history', schema: 1 });
    expect((await run(['--csv'])).out).toMatch(/^app,reason,exe,/);
  });

  it.each([
    [
      ['--by', 'hosts'],
      'usage',
      '--by "hosts" is not one of app, host, domain, category, interface, container, hour, day',
      'did you mean host?',
    ],
    [['--top', '0'], 'usage', '--top "0" is not a whole number from 1 to 100000', 'type for example: --top 10'],
    [['--filter', 'rx>>'], 'bad-filter', null, "type for example: --filter 'app:curl port:443' (all of it: netmon-tui --help)"],
    [['-i', 'a', '-i', 'b'], 'usage', '--interface is given more than once', null],
    [['--json', '--csv'], 'usage', '--json does not go with --csv', 'leave one of them out'],
  ])('refuses %j', async (words, code, message, hint) => {
    const thrown = await run(words).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(NetmonError);
    expect((thrown as NetmonError).code).toBe(code);
    if (message !== null) expect((thrown as NetmonError).message).toBe(message);
    if (hint !== null) expect((thrown as NetmonError).hint).toBe(hint);
  });
});
