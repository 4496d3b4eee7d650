// Writes docs/themes/*.svg: the screen in each of our themes, as README.md and docs/configuration.md show it. Run it when the screen or a theme changes.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
const { status } = spawnSync(`${root}node_modules/.bin/vitest`, ['run', 'test/golden/pictures.test.ts'], {
  cwd: root,
  env: { ...process.env, NETMON_PICTURES: '1' },
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
