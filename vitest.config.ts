import { defineConfig } from 'vitest/config';

/**
 * The tests beside the code and the faults, on a real Postgres that the global setup starts.
 * `tests/journeys` drives the whole built system and has a configuration of its own.
 */
export default defineConfig({
  test: {
    include: ['{apps,cli,packages,modules,scripts}/**/*.test.{ts,tsx}', 'tests/{bench,faults,soak}/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**', '**/.next/**'],
    globalSetup: ['./packages/test-kit/src/global-setup.ts'],
    pool: 'forks',
    // Suites own their databases and mock nothing, so files may follow each other in one process, where what is imported
    // stays. What a file leaves running meets the next one.
    isolate: false,
    // Suites mostly wait for Postgres, for a lock to run out, for a process to end.
    maxWorkers: 3,
    // For what hangs, on a machine that others slow down too; what must be quick is asked how long it took.
    testTimeout: 180_000,
    hookTimeout: 300_000,
    teardownTimeout: 60_000,
    // By default a second, and the machine may stand still for longer.
    expect: { poll: { timeout: 20_000 } },
  },
});
