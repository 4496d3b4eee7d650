// Writes a table of the screen to a new file, in the first folder that takes it of where the program was started, the user's home and the folder
// for temporary files: mode 0600, owned by the invoking user, never over another file and never through a link.

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

/** As /tmp is. */
const WRITABLE_BY_ALL = 0o002;

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

/** Writes a table into the first folder that takes it; a name that is taken gets a number. Never throws for anything that a user can put right. */
export async function writeExport(format: ExportFormat, table: ExportTable, place: ExportPlace): Promise<Exported> {
  const stamp = new Date(table.time)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(':', '')
    .replace('T', '-');
  const text = exportText(format, table);
  let refusal = '';
  for (const folder of place.folders) {
    if (!(await mayWrite(folder, place.owner))) continue;
    for (let number = 1; number < 100; number++) {
      const path = join(folder, `${EXPORT_PREFIX}${table.name}-${stamp}${number === 1 ? '' : `-${number}`}.${format}`);
      try {
        await write(path, text, place.owner);
        return { done: true, text: `${counted(table.rows.length, 'row')} written to ${path}` };
      } catch (thrown) {
        const isTaken =
          thrown instanceof NetmonError && /is there already|is a symbolic link|is no regular file/.test(thrown.message);
        refusal = isTaken ? `too many files of this second in ${folder}` : reasonOf(thrown);
        if (!isTaken) break;
      }
    }
  }
  if (refusal !== '') return { done: false, text: `not exported: ${refusal}` };
  return { done: false, text: `not exported: start in a folder that you may write to, not in ${place.folders.join(', ')}` };
}

async function write(path: string, text: string, owner: FileOwner | null): Promise<void> {
  const file = OutputFile.create(path, false, owner);
  try {
    await file.write(text);
    await file.commit();
  } catch (thrown) {
    await file.discard();
    throw thrown;
  }
}

/** Whether the user may write in a folder. What root may write to says nothing about the user it works for. */
async function mayWrite(folder: string, owner: FileOwner | null): Promise<boolean> {
  const there = await stat(folder).catch(() => null);
  if (there === null || !there.isDirectory()) return false;
  if (owner !== null && process.geteuid?.() === 0) return there.uid === owner.uid || (there.mode & WRITABLE_BY_ALL) !== 0;
  return access(folder, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
}
