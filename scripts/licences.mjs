// Writes THIRD-PARTY.md: the licences of all that is in the bundle, with their texts, which those who pass the program on must pass on, too.
// Run it after a build when dependencies change; with --check it only compares, and ends with 1 where they differ.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
const read = (path) => readFileSync(`${root}${path}`, 'utf8');

/** Name, version, licence, and the text of the licence; old packages write `licenses: [{ type }]`, and may have no text. */
function describe(name) {
  const folder = `node_modules/${name}`;
  const { version, license, licenses, author } = JSON.parse(read(`${folder}/package.json`));
  const file = readdirSync(`${root}${folder}`).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file === undefined ? `No text comes with it. Its author is ${author.name}.` : read(`${folder}/${file}`);
  return {
    name: name.replace(/.*node_modules\//, ''),
    version,
    licence: license ?? licenses.map(({ type }) => type).join(' or '),
    text: text.replace(/\r/g, '').trim(),
  };
}

const packages = JSON.parse(read('dist/bundle/packages.json')).map(describe);
const made = `# Third-party packages

In the bundle of netmon-tui, with koffi's prebuilt libraries. Made by \`node scripts/licences.mjs\`. The single executable also holds
[Node.js](https://github.com/nodejs/node/blob/main/LICENSE), whose licence lists all that is in it. sql.js holds SQLite, which is in the public domain.

| Package | Version | Licence |
|---|---|---|
${packages.map(({ name, version, licence }) => `| ${name} | ${version} | ${licence} |`).join('\n')}

Fingerprints of TLS are computed by netmon-tui's own code, after the description that FoxIO publishes of its methods. Of these, JA4 is free for any use (BSD 3-Clause). JA4S is part of JA4+, whose
[FoxIO License 1.1](https://github.com/FoxIO-LLC/ja4/blob/main/LICENSE) allows personal, academic and internal use, and not to sell it.
${packages.map(({ name, version, text }) => `\n## ${name} ${version}\n\n${text.replace(/^/gm, '    ').replace(/ +$/gm, '')}\n`).join('')}`;
if (!process.argv.includes('--check')) writeFileSync(`${root}THIRD-PARTY.md`, made);
else if (read('THIRD-PARTY.md') !== made) {
  process.stderr.write('THIRD-PARTY.md is not what is in the bundle: node scripts/licences.mjs\n');
  process.exitCode = 1;
}
