// Writes a table of the screen to a new file, in the folder where the program was started or else the user's home: mode 0600, owned by the
// invoking user, never over another file and never through a link.

import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { NetmonError, reasonOf } from '../model/errors.ts';
import { EXPORT_PREFIX } from '../model/options.ts';
import { counted } from '../net/counted.ts';
import { sanitize } from '../net/text.ts';
import { csvLine } from '../output/csv.ts';
import { type FileOwner, OutputFile } from '../output/output-file.ts';
import type { ExportFormat, ExportTable } from '../view/action.ts';

/** Where exports go, and whose they are. */
export interface ExportPlace {
  /** Folders, in the order of trying. */
  readonly folders: readonly string[];
  readonly owner: FileOwner | null;
}

/** What became of an export: whether a file was written, and one line for the user. */
export interface Exported {
  readonly done: boolean;
  readonly text: string;
}

/** Text of the file. */
export function exportText(format: ExportFormat, { name, time, columns, rows }: ExportTable): string {
  const safe = (value: string | number | null) => (typeof value === 'string' ? sanitize(value) : value);
  if (format === 'csv') return csvLine(columns) + rows.map((row) => csvLine(row.map(safe))).join('');
  const objects = rows.map((row) => Object.fromEntries(columns.map((column, index) => [column, safe(row[index] ?? null)])));
  return `${JSON.stringify({ type: 'export', schema: 1, view: name, time: new Date(time).toISOString(), rows: objects }, null, 1)}\n`;
}

/** Writes a table; a name that is taken gets a number. Never throws for anything that a user can put right. */
export async function writeExport(format: ExportFormat, table: ExportTable, place: ExportPlace): Promise<Exported> {
  const stamp = new Date(table.time)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(':', '')
    .replace('T', '-');
  const folder = await firstFolder(place);
  if (folder === null) return { done: false, text: 'not exported: no folder to write to' };
  for (let number = 1; number < 100; number++) {
    const path = join(folder, `${EXPORT_PREFIX}${table.name}-${stamp}${number === 1 ? '' : `-${number}`}.${format}`);
    try {
      const file = OutputFile.create(path, false, place.owner);
      try {
        await file.write(exportText(format, table));
        await file.commit();
      } catch (thrown) {
        await file.discard();
        throw thrown;
      }
      return { done: true, text: `${counted(table.rows.length, 'row')} written to ${path}` };
    } catch (thrown) {
      const isTaken =
        thrown instanceof NetmonError && /is there already|is a symbolic link|is no regular file/.test(thrown.message);
      if (!isTaken)
        return { done: false, text: `not exported: ${thrown instanceof NetmonError ? thrown.message : reasonOf(thrown)}` };
    }
  }
  return { done: false, text: `not exported: too many files of this second in ${folder}` };
}

/** The first folder in which the invoking user may write. What root may write to says nothing about that. */
async function firstFolder({ folders, owner }: ExportPlace): Promise<string | null> {
  for (const folder of folders) {
    const there = await stat(folder).catch(() => null);
    if (there === null || !there.isDirectory()) continue;
    if (owner !== null) {
      if (there.uid === owner.uid) return folder;
      continue;
    }
    const allowed = await access(folder, constants.W_OK).then(
      () => true,
      () => false,
    );
    if (allowed) return folder;
  }
  return null;
}
