import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** Backups, with pgBackRest and a Postgres of each suite's own: `vitest run --config tests/backup/vitest.config.ts`. */
export default defineConfig({
  root: join(import.meta.dirname, '../..'),
  test: {
    include: ['tests/backup/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 900_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 20_000 } },
  },
});
