import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** Takes the documentation's pictures from the real app: `npm run pictures`. */
export default defineConfig({
  root: join(import.meta.dirname, '../..'),
  test: {
    include: ['tests/pictures/**/*.shot.ts'],
    globalSetup: ['tests/journeys/harness/global-setup.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
