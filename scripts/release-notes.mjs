// Prints what CHANGELOG.md says of one version, as the notes of its release: `node scripts/release-notes.mjs 1.2.0 [CHANGELOG]`.
// It fails if that version has no section, or an empty one.

import { readFileSync } from 'node:fs';

const [version, path = new URL('../CHANGELOG.md', import.meta.url)] = process.argv.slice(2);
const sections = readFileSync(path, 'utf8').split(/^## /m);
const section = sections.find((text) => text.startsWith(`[${version}]`));
// Headings move up a level: the release already has the version as its title. The links at the file's end belong to its headings.
const notes = section
  ?.replace(/^.*\n/, '')
  .replace(/^\[[^\]]+\]: \S+$/gm, '')
  .replace(/^##(#+ )/gm, '#$1')
  .trim();
if (notes) process.stdout.write(`${notes}\n`);
else {
  process.stderr.write(`CHANGELOG.md says nothing of ${version}: rename its section [Unreleased], and add the date\n`);
  process.exitCode = 1;
}
