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

/** The Compose files themselves, on a Docker engine: `pnpm test:lab`. DOCKER_HOST names the engine. */
export default defineConfig({
  root: join(import.meta.dirname, '../..'),
  test: {
    include: ['tests/lab/**/*.test.ts'],
    // Several engines on one machine need a program that starts them.
    exclude: process.env.BALLAST_LAB_NODES ? [] : ['tests/lab/nodes.test.ts'],
    globalSetup: ['tests/lab/harness/global-setup.ts'],
    pool: 'forks',
    // All files look at one stack, and one of them changes it.
    fileParallelism: false,
    sequence: { sequencer: SwarmLast },
    testTimeout: 180_000,
    hookTimeout: 240_000,
  },
});
