import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    pool: 'forks',
    // No screen of a test begins where the one before was left.
    env: { XDG_STATE_HOME: '/dev/null' },
  },
});
