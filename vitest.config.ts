import { defineConfig } from 'vitest/config';

/** Tests that weigh the memory of their process, use up what it may do, or replace modules that others have loaded: each has its own process. */
const ALONE = [
  'test/unit/capture/devices/devices.test.ts',
  'test/unit/identify/name/memory.test.ts',
  'test/unit/identify/process/arguments.test.ts',
];

export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 30_000,
    pool: 'forks',
    setupFiles: 'test/support/clean-up.ts',
    // No screen of a test begins where the one before was left.
    env: { XDG_STATE_HOME: '/dev/null' },
    projects: [
      // Nothing in them waits for the machine, so that every core may be busy. Files share a process, which loads what it needs once: a
      // file of tests puts back what it changes there.
      {
        extends: true,
        test: {
          name: 'pure',
          include: ['test/{unit,golden,replay,fuzz}/**/*.test.ts'],
          exclude: ALONE,
          isolate: false,
          maxWorkers: '100%',
        },
      },
      { extends: true, test: { name: 'alone', include: ALONE, maxWorkers: '100%' } },
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
