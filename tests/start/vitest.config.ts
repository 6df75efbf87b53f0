import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** `npm start` itself, in a copy of the checkout: `vitest run --config tests/start/vitest.config.ts`. */
export default defineConfig({
  root: join(import.meta.dirname, '../..'),
  test: {
    include: ['tests/start/**/*.test.ts'],
    testTimeout: 600_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 20_000 } },
  },
});
