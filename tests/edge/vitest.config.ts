import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** The project's Caddyfile in a real Caddy, before real processes: `vitest run --config tests/edge/vitest.config.ts`. */
export default defineConfig({
  root: join(import.meta.dirname, '../..'),
  test: {
    include: ['tests/edge/**/*.test.ts'],
    globalSetup: ['./packages/test-kit/src/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 20_000 } },
  },
});
