// `netmon-tui report`: writes a range of history as one HTML page with charts that works offline.

import { missingHistory } from '../../history/files.ts';
import { NetmonError } from '../../model/errors.ts';
import type { Options } from '../../model/options.ts';
import { type FileOwner, OutputFile } from '../../output/output-file.ts';
import type { CommandLine } from '../command-line.ts';
import type { CommandIo } from '../history/command-io.ts';
import { reading } from '../history/command-io.ts';
import { parseRange } from '../history/range.ts';
import { reportPage } from './page.ts';
import { reportFacts } from './report-facts.ts';

/**
 * Writes the page.
 *
 * @param path of the history file
 * @param owner owner for the page; null if the process is that user
 * @returns exit status 0. @throws NetmonError `usage`, `history`
 */
export async function reportCommand(
  line: CommandLine,
  options: Pick<Options, 'units'>,
  path: string,
  owner: FileOwner | null,
  version: string,
  io: CommandIo,
): Promise<number> {
  const target = line.text('html');
  if (target === null || target === '')
    throw new NetmonError(
      'usage',
      'report needs a file to write',
      'type for example: netmon-tui report --since 7d --html report.html',
    );
  const made = io.clock.now();
  const range = parseRange(line.text('since'), line.text('until'), made, '7d');
  const file = target === '-' ? null : OutputFile.create(target, line.has('force'), owner);
  try {
    const page = await reading(path, io, async (reader, progress) => {
      const facts = await reportFacts(reader, range, (text) => progress.tell(text));
      if (facts.apps.oldest === null) throw missingHistory(path);
      if (facts.apps.rows.length === 0)
        throw new NetmonError(
          'history',
          'nothing is recorded in this range',
          'see what is: netmon-tui history --since all --by day',
        );
      return reportPage(facts, { version, made, units: options.units });
    });
    if (file === null) await io.out.write(page);
    else {
      await file.write(page);
      await file.commit();
      await io.err.write(`the report is in ${file.path}\n`);
    }
  } finally {
    await file?.discard();
  }
  return 0;
}
