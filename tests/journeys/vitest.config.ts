import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/**
 * The whole built system in a real browser, once per queue:
 * `vitest run --config tests/journeys/vitest.config.ts`, BALLAST_JOURNEYS_QUEUE=postgres|redis.
 */
export default defineConfig({
  root: join(import.meta.dirname, '../..'),
  test: {
    include: ['tests/journeys/**/*.test.ts'],
    globalSetup: ['tests/journeys/harness/global-setup.ts'],
    pool: 'forks',
    // One browser at a time: on two cores a second one would only make both time out.
    fileParallelism: false,
    testTimeout: 600_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 20_000 } },
  },
});
