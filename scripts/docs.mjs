// Writes what the code makes: the tables of docs/*.md (keys, settings, options, filter fields, exit statuses), man/netmon-tui.1, schema/*.json and the service files in packaging/. Run it when one of them changes.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
const { status } = spawnSync(
  `${root}node_modules/.bin/vitest`,
  [
    'run',
    'test/unit/readme.test.ts',
    'test/unit/man-page.test.ts',
    'test/unit/schemas.test.ts',
    'test/unit/cli/service/service.test.ts',
  ],
  {
    cwd: root,
    env: { ...process.env, NETMON_DOCS: '1' },
    stdio: 'inherit',
  },
);
process.exitCode = status ?? 1;
