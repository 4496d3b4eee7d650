// The benches are run by hand, so what would only be found then is held here: their units, and that one that breaks says so.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const folder = fileURLToPath(new URL('../bench/', import.meta.url));
const benches = readdirSync(`${folder}benches`);
/** Not compiled, so it has no types. */
const table = new URL('../bench/support/table.js', import.meta.url).href;

describe('benches', () => {
  it.each(benches)('%s has a format for each of its units', async (file) => {
    const { tableOf } = (await import(table)) as { tableOf: (rows: object[]) => string[] };
    const units = [...readFileSync(`${folder}benches/${file}`, 'utf8').matchAll(/unit: '([^']+)'/g)].map(([, unit]) => unit);
    expect(units).not.toEqual([]);
    for (const unit of units) expect(tableOf([{ what: 'this', value: 12e6, unit }]).join('\n')).toContain('12');
  });

  it('refuses a unit without a format by its name', async () => {
    const { tableOf } = (await import(table)) as { tableOf: (rows: object[]) => string[] };
    expect(() => tableOf([{ what: 'this', value: 1, unit: 'furlongs' }])).toThrow('this: no such unit: furlongs');
  });

  it('exits with 1 when one breaks', () => {
    const root = mkdtempSync(join(tmpdir(), 'netmon-bench-'));
    try {
      mkdirSync(join(root, 'dist'));
      writeFileSync(join(root, 'dist/main.js'), '');
      const { status, stdout } = spawnSync(process.execPath, [`${folder}run.js`, '--root', root, 'inspect'], {
        encoding: 'utf8',
      });
      expect(stdout).toContain('broke: ');
      expect(status).toBe(1);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });

  it('exits with 2 when there is none of that name', () => {
    expect(spawnSync(process.execPath, [`${folder}run.js`, 'none']).status).toBe(2);
  });
});
