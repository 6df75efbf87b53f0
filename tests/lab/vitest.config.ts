import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * An engine that has left a Swarm answers the containers that it had before with names no more
 * (`ENOTFOUND postgres`): the tests that look at the one stack come first.
 */
class SwarmLast extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const usual = await super.sort(files);
    const isSwarm = ({ moduleId }: TestSpecification) => moduleId.endsWith('/swarm.test.ts');
    return [...usual.filter((file) => !isSwarm(file)), ...usual.filter(isSwarm)];
  }
}

const file = (name: string) => `tests/lab/${name}.test.ts`;
/** Alerts wait for Prometheus most of their time. */
const waiting = [file('observability')];
/** Engines of its own, whose start takes longer than its test. */
const elsewhere = [file('nodes')];

/** Only for what hangs: builds, rolls and restores take as long as the machine makes them, and their waits have limits of their own. */
const limits = { testTimeout: 900_000, hookTimeout: 900_000 };

/** The Compose files themselves, on a Docker engine: `pnpm test:lab`. DOCKER_HOST names the engine. */
export default defineConfig({
  root: join(import.meta.dirname, '../..'),
  test: {
    globalSetup: ['tests/lab/harness/global-setup.ts'],
    // Cut off, it would leave a stack that starts again with the engine, beside whatever runs next.
    teardownTimeout: 600_000,
    sequence: { sequencer: SwarmLast },
    projects: [
      {
        test: {
          name: 'beside each other',
          include: [...waiting, ...elsewhere],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
          ...limits,
        },
      },
      {
        test: {
          name: 'one after the other',
          include: ['tests/lab/**/*.test.ts'],
          exclude: [...waiting, ...elsewhere],
          // They look at one stack, and one of them changes it.
          fileParallelism: false,
          sequence: { groupOrder: 1 },
          ...limits,
        },
      },
    ],
  },
});
