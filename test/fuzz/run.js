// The fuzz job: every reader of hostile bytes, ten million cases by default. A case that breaks one, or takes longer than a second, is kept in
// test/fuzz/corpus, where the tests begin with it, and makes the status 1.
// usage: npm run fuzz -- [--cases N] [--seed N] [--only NAME]

import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '10000000' },
    seed: { type: 'string', default: String(randomInt(1, 2 ** 31)) },
    only: { type: 'string', default: '' },
  },
});
for (const name of ['cases', 'seed'])
  if (!/^\d{1,12}$/.test(values[name])) {
    console.error(`--${name} "${values[name]}" is no number\n  type: npm run fuzz -- --${name} 1000000`);
    process.exit(2);
  }
const root = fileURLToPath(new URL('../..', import.meta.url));
const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));
const env = { ...process.env, FUZZ_CASES: values.cases, FUZZ_SEED: values.seed, FUZZ_ONLY: values.only };
const words = ['--expose-gc', vitest, 'run', '--config', 'test/fuzz/job.config.ts', '--reporter=verbose'];
process.exit(spawnSync(process.execPath, words, { cwd: root, env, stdio: 'inherit' }).status ?? 1);
