// Loads SQLite, that is sql.js, into a thread. This folder alone knows sql.js's insides.
//
// What it replaces: sql.js holds a whole database in memory. It takes one array of bytes and exports another, so that a history of 500 MB
// would take a gigabyte, and each save would write all of it. Here SQLite reads and writes pages of real files instead (`DirectFiles`), and a
// history of any size takes some 2 MiB. For that, eight functions that sql.js's WebAssembly imports are replaced. Their names are shortened
// and change from build to build, which is why this is done only for one build. With any other, databases are held in memory whole, as
// sql.js does it (`WholeFiles`), up to 64 MiB, and `notice` says so.

import { createRequire } from 'node:module';
import { setFlagsFromString } from 'node:v8';
import { crc32 } from 'node:zlib';
import type { SqlJsStatic } from 'sql.js';
import { readOwnFile } from '../../system/own-files.ts';
import { type DatabaseFiles, DirectFiles, type SqlImports, WholeFiles } from './files.ts';

/** sql.js, and the way to databases in files. */
export interface SqlEngine extends SqlJsStatic {
  readonly files: DatabaseFiles;
  /** What the user should know about this build; null for the known one. */
  readonly notice: string | null;
}

/** CRC-32 of sql-wasm.wasm in sql.js 1.16.0: `DirectFiles` knows its names. */
const KNOWN_BUILD = 683_643_555;
const NOTICE =
  'this build of sql.js is not the one that netmon-tui knows: it holds the whole history file in memory, 64 MiB at most; npm ci installs the right one';

/** What is used of WebAssembly, which the types of Node 20 leave out. */
interface Wasm {
  compile(code: Uint8Array): Promise<object>;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Readonly<Record<string, unknown>> };
  readonly Memory: new (size: { initial: number }) => { readonly buffer: ArrayBufferLike };
}

/**
 * Loads SQLite into this thread, once.
 *
 * @param knownBuild CRC-32 of the build that gets direct access to files; another in tests
 */
export async function loadSql(knownBuild = KNOWN_BUILD): Promise<SqlEngine> {
  const initSqlJs = createRequire(import.meta.url)('sql.js') as (options: object) => Promise<SqlEngine>;
  const wasmBinary = readOwnFile('node_modules/sql.js/dist/sql-wasm.wasm');
  // V8 would compile again what runs much, with 20 to 40 MiB and half a second of a core: threads that end in seconds never get that back.
  // (--liftoff-only does the same, but V8 ends the process if its quick compiler lacks an instruction.)
  for (const flag of ['--no-wasm-tier-up', '--no-wasm-dynamic-tiering']) setFlagsFromString(flag);
  // Keeps a deprecation warning off the console, and so off the screen.
  const common = { useOldExtensionFunctions: false };
  // The object that sql.js is loaded with becomes the engine.
  if (crc32(wasmBinary) !== knownBuild) return initSqlJs({ ...common, wasmBinary, files: new WholeFiles(), notice: NOTICE });
  const { compile, Instance, Memory } = (globalThis as unknown as { WebAssembly: Wasm }).WebAssembly;
  const module = await compile(wasmBinary);
  const files = new DirectFiles();
  return initSqlJs({
    ...common,
    files,
    notice: null,
    instantiateWasm(imports: SqlImports, use: (instance: unknown) => void) {
      const instance = new Instance(module, files.around(imports));
      const memory = Object.values(instance.exports).find((one) => one instanceof Memory);
      files.attach(() => (memory as InstanceType<Wasm['Memory']>).buffer);
      use(instance);
    },
  });
}
