// Writes THIRD-PARTY.md: every package that is installed with the program, with its version and licence, out of package-lock.json and,
// where that does not say, the package's own description. Run it when dependencies change; a test compares.

import { readFileSync, writeFileSync } from 'node:fs';

const root = new URL('../', import.meta.url);
const { packages } = JSON.parse(readFileSync(new URL('package-lock.json', root), 'utf8'));

/** Old packages write `licenses: [{ type }]`, or only a file. */
function licenceOf(path) {
  const { license, licenses } = JSON.parse(readFileSync(new URL(`${path}/package.json`, root), 'utf8'));
  return license ?? licenses?.map(({ type }) => type).join(' or ') ?? 'not stated';
}

const rows = Object.entries(packages)
  .filter(([path, entry]) => path.startsWith('node_modules/') && !entry.link && !entry.dev && !entry.devOptional && !entry.os)
  .map(([path, entry]) => {
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    return `| ${name} | ${entry.version} | ${entry.license ?? licenceOf(path)} |`;
  });

writeFileSync(
  new URL('THIRD-PARTY.md', root),
  `# Third-party packages

Installed with netmon-tui, besides koffi's prebuilt library for your platform (\`@koromix/koffi-*\`, MIT). Made by \`node scripts/list-licences.mjs\`.

| Package | Version | Licence |
|---|---|---|
${[...new Set(rows)].sort().join('\n')}
`,
);
