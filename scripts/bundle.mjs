// Makes the program out of src: one file of JavaScript, one for each thread and child process, and beside them what packages have besides
// JavaScript. `node scripts/bundle.mjs [FOLDER] [--portable]` writes it to FOLDER/dist/bundle, FOLDER being this clone by default; --portable
// leaves out what only this machine's Node can use.
//
// One file starts faster than 500, and of 30 MB of packages 2 MB run. Names stay as they are, for the sake of error reports.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../', import.meta.url));
const { values, positionals } = parseArgs({ allowPositionals: true, options: { portable: { type: 'boolean' } } });
const out = join(positionals[0] ?? root, 'dist/bundle');
const packages = join(root, 'node_modules');
/** Files of packages that run without being JavaScript. */
const FILES = ['sql.js/dist/sql-wasm.wasm', 'blessed/usr/xterm-256color'];
/** Where threads and child processes begin, by role. */
const ENTRIES = /ENTRIES = \{([^}]*)\}/.exec(readFileSync(join(root, 'src/system/own-files.ts'), 'utf8'))[1];
const ROLES = Object.fromEntries([...ENTRIES.matchAll(/([\w-]+)'?: '([\w/-]+)'/g)].map(([, role, path]) => [role, path]));
/** Those parts of blessed that the screen draws with. Its index loads all of them, players of videos and terminals too. */
const WIDGETS = ['Node', 'Screen', 'Element', 'Box', 'Text', 'ScrollableBox', 'ScrollableText', 'Log'];

/** Short commit, `-dirty` after it if files differ. A tree unpacked inside of another clone has no commit of its own. */
function commit() {
  if (!existsSync(join(root, '.git'))) return null;
  const words = ['describe', '--always', '--dirty', '--abbrev=7', '--exclude=*'];
  const { status, stdout } = spawnSync('git', words, { cwd: root, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : null;
}

/** Names of the files that the executable holds besides the bundle's own. */
function heldFiles() {
  return ['data', 'themes'].flatMap((folder) => readdirSync(join(root, folder)).map((name) => `${folder}/${name}`));
}

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const BUNDLE = { version, commit: commit(), files: heldFiles() };

/** What the sources leave to Node's loader, put into the bundle. */
const plugin = {
  name: 'netmon-tui',
  setup({ onLoad, onResolve }) {
    // What is loaded late or may be missing is required through createRequire, which esbuild doesn't follow. `cap` stays outside.
    onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8')
        .replaceAll(/createRequire\(import\.meta\.url\)\('(?!cap')/g, "require('")
        .replaceAll(
          "createRequire(createRequire(import.meta.url).resolve('yargs'))('yargs-parser')",
          "require('yargs-parser').default",
        ),
      loader: 'ts',
    }));
    onResolve({ filter: /^koffi$/ }, () => ({ path: 'koffi', namespace: 'native' }));
    onLoad({ filter: /^koffi$/, namespace: 'native' }, () => ({
      contents: `module.exports = require(${JSON.stringify(join(root, 'src/system/native-library.ts'))}).loadNative();`,
      resolveDir: root,
    }));
    // ICU takes 15 ms to make each of these, and the first frame needs none: its own signs have known widths.
    onLoad({ filter: /\/string-width\/index\.js$/ }, ({ path }) => {
      let contents = readFileSync(path, 'utf8');
      for (const [name, made, method] of [
        ['segmenter', 'new Intl.Segmenter()', 'segment'],
        ['rgiEmojiRegex', String.raw`/^\p{RGI_Emoji}$/v`, 'test'],
      ]) {
        const eager = `const ${name} = ${made};`;
        if (!contents.includes(eager)) throw new Error(`string-width has changed: it has no "${eager}"`);
        // A function: in a text, `$` would mean something.
        contents = contents.replace(
          eager,
          () => `let ${name}Made; const ${name} = { ${method}: (text) => (${name}Made ??= ${made}).${method}(text) };`,
        );
      }
      return { contents };
    });
    onLoad({ filter: /\/blessed\/lib\/widget\.js$/ }, () => ({
      contents: WIDGETS.map(
        (name) => `exports.${name} = exports.${name.toLowerCase()} = require('./widgets/${name.toLowerCase()}');`,
      ).join('\n'),
    }));
  },
};

const common = {
  absWorkingDir: root,
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20.19',
  charset: 'ascii',
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  outExtension: { '.js': '.cjs' },
  supported: { 'dynamic-import': false },
  define: { BUNDLE: JSON.stringify(BUNDLE), 'import.meta.url': 'moduleUrl' },
  external: ['cap', 'term.js', 'pty.js'],
  plugins: [plugin],
  logLevel: 'warning',
  metafile: true,
  write: false,
};
const MODULE_URL = "const moduleUrl=require('node:url').pathToFileURL(__filename).href;";

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const [main, roles] = await Promise.all([
  // An expression that bin/netmon-tui.js compiles by itself, to use what V8 compiled before.
  build({
    ...common,
    entryPoints: { main: 'src/main.ts' },
    outdir: out,
    banner: { js: `(function(require,__filename){${MODULE_URL}` },
    footer: { js: '})' },
  }),
  build({
    ...common,
    entryPoints: Object.fromEntries(Object.entries(ROLES).map(([role, path]) => [role, `src/${path}.ts`])),
    outdir: out,
    banner: { js: MODULE_URL },
  }),
]);
for (const { path, text } of [...main.outputFiles, ...roles.outputFiles]) {
  if (/[^\0-\x7f]/.test(text)) throw new Error(`${path} is not ASCII, and would take twice the memory`);
  writeFileSync(path, path.endsWith('/main.cjs') ? `//${createHash('sha256').update(text).digest('hex')}\n${text}` : text);
}
for (const file of FILES) cpSync(join(packages, file), join(out, file.slice(file.lastIndexOf('/') + 1)));
for (const name of existsSync(join(packages, '@koromix')) ? readdirSync(join(packages, '@koromix')) : []) {
  for (const entry of readdirSync(join(packages, '@koromix', name), { withFileTypes: true }))
    if (entry.isDirectory())
      cpSync(join(packages, '@koromix', name, entry.name), join(out, 'koffi', entry.name), { recursive: true });
}

if (!values.portable) {
  /** The packages that are in the bundle, for THIRD-PARTY.md. */
  const inputs = [main, roles].flatMap(({ metafile }) => Object.keys(metafile.inputs));
  const names = inputs.flatMap(
    (path) => /^node_modules\/(.*\bnode_modules\/)?(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0].slice('node_modules/'.length) ?? [],
  );
  writeFileSync(join(out, 'packages.json'), `${JSON.stringify([...new Set([...names, 'koffi', 'sql.js'])].sort())}\n`);

  // What V8 compiles at each start, compiled once. It holds for this Node only; any other compiles again.
  const words = [join(root, 'scripts/code-cache.cjs'), join(out, 'main.cjs')];
  const { status, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
  if (status !== 0) process.stderr.write(`bundle: no code cache: ${stderr}\n`);
}
