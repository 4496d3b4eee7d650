// SQLite itself: sql.js, loaded where a thread needs it, with files of ours in place of its own. Refuses any build but the one whose calls
// `sql-files` knows.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { crc32 } from 'node:zlib';
import initSqlJs, { type SqlJsStatic } from 'sql.js';
import { SqlFiles, type SqlImports } from './files.ts';

/** sql.js and the files that its databases lie in. */
export interface SqlEngine extends SqlJsStatic {
  readonly files: SqlFiles;
}

/** Of sql-wasm.wasm in sql.js 1.16.0. */
const BUILD = 683_643_555;

/** What is used of WebAssembly, which the types of Node 20 leave out. */
interface Wasm {
  compile(code: Uint8Array): Promise<object>;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Readonly<Record<string, unknown>> };
  readonly Memory: new (size: { initial: number }) => { readonly buffer: ArrayBufferLike };
}

/** Loads SQLite into this thread, once. */
export async function loadSql(): Promise<SqlEngine> {
  const code = readFileSync(join(dirname(createRequire(import.meta.url).resolve('sql.js')), 'sql-wasm.wasm'));
  if (crc32(code) !== BUILD) throw new Error('sql.js is of another version than this program was made for');
  const { compile, Instance, Memory } = (globalThis as unknown as { WebAssembly: Wasm }).WebAssembly;
  // V8 would compile again what runs much, with 20 to 40 MiB and half a second of a core: threads that end in seconds never get that back.
  // (--liftoff-only does the same, but V8 ends the process where its quick compiler lacks an instruction.)
  for (const flag of ['--no-wasm-tier-up', '--no-wasm-dynamic-tiering']) setFlagsFromString(flag);
  const module = await compile(code);
  const files = new SqlFiles();
  const options = {
    files,
    // Keeps a deprecation warning off the console, that is off the screen.
    useOldExtensionFunctions: false,
    instantiateWasm(imports: SqlImports, use: (instance: unknown) => void) {
      const instance = new Instance(module, files.around(imports));
      const memory = Object.values(instance.exports).find((one) => one instanceof Memory);
      files.attach(() => (memory as InstanceType<Wasm['Memory']>).buffer);
      use(instance);
    },
  };
  // sql.js keeps what it was loaded with first, and that object becomes the engine.
  return (await initSqlJs(options as Parameters<typeof initSqlJs>[0])) as SqlEngine;
}
