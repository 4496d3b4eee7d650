// Checks all sources: nothing starts a program through a shell or PATH, and nothing changes the owner of a file by its path.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const src = join(import.meta.dirname, '../../../src');
const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
const code = new Map(
  files.map((name) => [
    name,
    readFileSync(join(src, name), 'utf8')
      .replace(/\/\*[\s\S]*?\*\//g, '')
      .replace(/^\s*\/\/.*$/gm, ''),
  ]),
);

/**
 * Where a shell is named: as the user, for the user's own script that names no interpreter, as execvp(3) does it; for one fixed script that passes on
 * three signals; and without any rights, to join ssh with the program.
 */
const SHELLS = ['app/attached-run.ts', 'command/command.ts', 'command/gate-main.ts'];

it('nothing starts a shell, but for the command that the user gives, and ssh', () => {
  const found = [...code].filter(([, text]) =>
    /shell:(?!\s*false\b)|\bexecSync\b|\bexecFile(Sync)?\b|\bexec\s*\}|spawnSync|\/bin\/(ba)?sh\b/.test(text),
  );
  expect(found.map(([name]) => name).sort()).toEqual(SHELLS);
});

it('only these places start programs, each with its own environment', () => {
  const starting = [...code].filter(
    ([, text]) =>
      /from 'node:child_process'/.test(text) &&
      /\bspawn\b\s*[,}(]/.test(text) &&
      !/^import type/m.test(text.match(/.*node:child_process.*/)?.[0] ?? ''),
  );
  expect(starting.map(([name]) => name).sort()).toEqual([
    'app/attached-run.ts',
    'cli/attach-install.ts',
    'command/command.ts',
    'messenger/client.ts',
    'messenger/hook.ts',
    'privilege/rights.ts',
    'privilege/root-child.ts',
    'system/programs.ts',
  ]);
  for (const [name, text] of starting)
    for (const call of text.matchAll(/\bspawn\([^;]*stdio[^;]*;/g))
      expect(call[0], name).toMatch(/env\b[\s\S]*shell: false|shell: false[\s\S]*env\b/);
});

it('nothing calls chown with a path, because root would follow a link that the user put there', () => {
  const found = [...code].filter(([, text]) =>
    /(?<!\.)\b(l?chown|chmod)(Sync)?\(/.test(text.replace(/'[^'\n]*'|`[^`\n]*`/g, '')),
  );
  expect(found.map(([name]) => name)).toEqual([]);
});
