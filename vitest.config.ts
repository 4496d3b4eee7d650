import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 30_000,
    pool: 'forks',
    // No screen of a test begins where the one before was left.
    env: { XDG_STATE_HOME: '/dev/null' },
    projects: [
      // Nothing in them waits for the machine, so that every core may be busy.
      { extends: true, test: { name: 'pure', include: ['test/{unit,golden,replay,fuzz}/**/*.test.ts'], maxWorkers: '100%' } },
      {
        extends: true,
        test: {
          name: 'live',
          include: ['test/live/**/*.test.ts'],
          // What is measured is never a time; a busy machine may take a long one.
          testTimeout: 90_000,
          hookTimeout: 90_000,
          globalSetup: 'test/support/built-once.ts',
          // Real kernels, terminals and browsers on a machine that may stand still for a second. The summary names whatever needed it.
          retry: 1,
          // After the others: both at once would take the time that each needs from the other.
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'mac',
          include: ['test/mac/**/*.test.ts'],
          globalSetup: 'test/support/built-once.ts',
          // Each test runs the whole program.
          testTimeout: 60_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
