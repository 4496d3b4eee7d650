// `netmon-tui history`: who used how much in a range of recorded time, as a table, JSON or CSV.

import { compileFilter, FILTER_HINT } from '../../filter/filter.ts';
import { NetmonError } from '../../model/errors.ts';
import type { HistoryQuery } from '../../model/history.ts';
import type { Options } from '../../model/options.ts';
import { quoted } from '../../net/quote.ts';
import type { CommandLine } from '../command-line.ts';
import { answerCsv, answerJson, answerText } from './answer-table.ts';
import type { CommandIo } from './command-io.ts';
import { reading } from './command-io.ts';
import { parseRange } from './range.ts';

const MOST_ROWS = 100_000;

/**
 * Asks history one question and prints the answer.
 *
 * @param path of the history file
 * @returns exit status 0. @throws NetmonError `usage`, `bad-filter`, `history`
 */
export async function historyCommand(
  line: CommandLine,
  options: Pick<Options, 'ascii' | 'color' | 'units'>,
  path: string,
  io: CommandIo,
): Promise<number> {
  const query = queryOf(line, io.clock.now());
  if (line.has('json') && line.has('csv'))
    throw new NetmonError('usage', '--json does not go with --csv', 'leave one of them out');
  const answer = await reading(path, io, (reader) => reader.query(query));
  const { out } = io;
  if (line.has('json')) await out.write(answerJson(answer));
  else if (line.has('csv')) await out.write(answerCsv(answer));
  else {
    const { ascii, units, color } = options;
    await out.write(answerText(answer, path, { columns: out.columns, color: color && out.isTerminal, ascii, units }));
  }
  return 0;
}

function queryOf(line: CommandLine, now: number): HistoryQuery {
  return {
    ...parseRange(line.text('since'), line.text('until'), now),
    by: line.value('by'),
    ...filtersOf(line),
    top: line.text('top') === null && (line.has('json') || line.has('csv')) ? MOST_ROWS : line.value('top'),
    steps: 0,
  };
}

/**
 * What `--app`, `--domain`, `--category`, `--interface` and `--filter` select. The filter in the configuration is for the screen only.
 *
 * @throws NetmonError `bad-filter`, `usage`
 */
export function filtersOf(line: CommandLine): Pick<HistoryQuery, 'app' | 'domain' | 'category' | 'interface' | 'filter'> {
  const [name = null, ...others] = line.texts('interface');
  if (others.length > 0)
    throw new NetmonError(
      'usage',
      '--interface is given more than once',
      "type for example: --filter 'iface:en0 or iface:utun4'",
    );
  const filter = line.text('filter')?.trim() || null;
  const compiled = filter === null ? null : compileFilter(filter);
  if (compiled !== null && !compiled.ok)
    throw new NetmonError(
      'bad-filter',
      `filter ${quoted(filter)}, column ${compiled.column + 1}: ${compiled.message}`,
      FILTER_HINT,
    );
  return {
    app: line.text('app') || null,
    domain: line.text('domain')?.toLowerCase() || null,
    category: line.text('category') || null,
    interface: name || null,
    filter,
  };
}
