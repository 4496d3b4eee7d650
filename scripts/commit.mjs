// Writes the commit that dist/ is built from into dist/commit, for `--version` and `doctor`. Without a clone or git there is none.

import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
const file = `${root}dist/commit`;
rmSync(file, { force: true });
// a tree unpacked inside of another clone has no commit of its own
if (existsSync(`${root}.git`)) {
  const words = ['describe', '--always', '--dirty', '--abbrev=7', '--exclude=*'];
  const { status, stdout } = spawnSync('git', words, { cwd: root, encoding: 'utf8' });
  if (status === 0) writeFileSync(file, stdout);
}
