// Writes docs/themes/*.svg and docs/screens/*.svg: the screen in each of our themes, the lite screen and the wide one, as README.md and docs/ show
// them. Run it when the screen or a theme changes.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
const { status } = spawnSync(`${root}node_modules/.bin/vitest`, ['run', 'test/golden/pictures.test.ts'], {
  cwd: root,
  env: { ...process.env, NETMON_PICTURES: '1' },
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
