// Makes the npm package in build/package: the bundle with its files and a package.json of its own. It depends on nothing and has no scripts, so
// that installing it runs no code and asks no registry for more. `node scripts/npm-package.mjs` fetches koffi's libraries for the other platforms
// with npm, and checks them against package-lock.json; with --here the package runs on platforms like this one alone.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
const out = join(root, 'build/package');
const PLATFORMS = ['darwin-arm64', 'darwin-x64', 'linux-arm64', 'linux-x64'];
const FILES = ['bin/netmon-tui.js', 'bin/package.json', 'data', 'man/netmon-tui.1', 'schema', 'themes'];
const TEXTS = ['README.md', 'ARCHITECTURE.md', 'CHANGELOG.md', 'THIRD-PARTY.md', 'SECURITY.md', 'LICENSE'];
/** What a package says of itself; the rest of package.json is about building and testing. */
const FIELDS = `name version description keywords license repository publishConfig bin man engines os`.split(' ');

/** Puts koffi's libraries of a platform into the package. */
function addLibraries(platform) {
  const name = `@koromix/koffi-${platform}`;
  const { version, integrity } = lock[`node_modules/${name}`];
  const folder = mkdtempSync(join(tmpdir(), 'netmon-tui-package-'));
  try {
    const words = ['pack', `${name}@${version}`, '--silent', '--pack-destination', folder];
    const file = join(folder, execFileSync('npm', words, { cwd: folder, encoding: 'utf8' }).trim());
    const hash = `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`;
    if (hash !== integrity) throw new Error(`${name} is not what package-lock.json says`);
    execFileSync('tar', ['-xzf', file, '-C', folder]);
    for (const system of platform.startsWith('linux') ? ['linux', 'musl'] : ['darwin']) {
      const triplet = platform.replace(/^\w+-/, `${system}_`);
      cpSync(join(folder, 'package', triplet), join(out, 'dist/bundle/koffi', triplet), { recursive: true });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
execFileSync(process.execPath, [join(root, 'scripts/bundle.mjs'), out, '--portable'], { stdio: 'inherit' });
for (const path of [...FILES, ...TEXTS]) cpSync(join(root, path), join(out, path), { recursive: true });
const described = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
writeFileSync(
  join(out, 'package.json'),
  `${JSON.stringify(Object.fromEntries(FIELDS.map((field) => [field, described[field]])), null, 2)}\n`,
);
const { packages: lock } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
if (!process.argv.includes('--here'))
  for (const platform of PLATFORMS)
    if (!existsSync(join(root, `node_modules/@koromix/koffi-${platform}`))) addLibraries(platform);
chmodSync(join(out, 'bin/netmon-tui.js'), 0o755);
