// Writes a table of the screen to a new file. Such files are made in the first folder that takes it of where the program was started, the user's home and the folder
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

/** Writes a table into a new file. Never throws for anything that a user can put right. */
export async function writeExport(format: ExportFormat, table: ExportTable, place: ExportPlace): Promise<Exported> {
  const text = exportText(format, table);
  const write = async (path: string) => {
    await writeFile(path, text, place.owner);
    return path;
  };
  const { file, refusal } = await fileIn(place, table.name, table.time, format, write);
  if (file === null) return { done: false, text: `not exported: ${refusal}` };
  return { done: true, text: `${counted(table.rows.length, 'row')} written to ${file}` };
}

/**
 * Makes a new file in the first folder that takes it. A name that is taken gets a number.
 *
 * @param name what the file is about
 * @param time in its name, epoch ms
 * @param make creates the file at a path, and throws a NetmonError if it can't
 * @returns what `make` gave; or null, and why
 */
export async function fileIn<File>(
  place: ExportPlace,
  name: string,
  time: number,
  extension: string,
  make: (path: string) => File | Promise<File>,
): Promise<{ readonly file: File | null; readonly refusal: string }> {
  const stamp = new Date(time)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(':', '')
    .replace('T', '-');
  let refusal = '';
  for (const folder of place.folders) {
    if (!(await mayWrite(folder, place.owner))) continue;
    for (let number = 1; number < 100; number++) {
      const path = join(folder, `${EXPORT_PREFIX}${name}-${stamp}${number === 1 ? '' : `-${number}`}.${extension}`);
      try {
        return { file: await make(path), refusal: '' };
      } catch (thrown) {
        const isTaken =
          thrown instanceof NetmonError && /is there already|is a symbolic link|is no regular file/.test(thrown.message);
        refusal = isTaken ? `too many files of this second in ${folder}` : reasonOf(thrown);
        if (!isTaken) break;
      }
    }
  }
  return {
    file: null,
    refusal: refusal === '' ? `start in a folder that you may write to, not in ${place.folders.join(', ')}` : refusal,
  };
}

async function writeFile(path: string, text: string, owner: FileOwner | null): Promise<void> {
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
