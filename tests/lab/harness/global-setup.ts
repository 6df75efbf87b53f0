import { rmSync } from 'node:fs';
import { freePort } from '@ballast/test-kit/free-port';
import type { TestProject } from 'vitest/node';
import { copySources } from './copy-sources.ts';
import { docker } from './docker.ts';
import { compose, remove, type Stack } from './stack.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    stack: Stack;
    webUrl: string;
    inboxUrl: string;
    apiUrl: string;
  }
}

/** Word for word what the Compose file promises: on a fresh clone, with no step before it. */
const promised = ['up', '-d', 'postgres', 'redis-cache', 'redis-queue', 'api', 'worker', 'web'];

const images = (stack: Stack) =>
  ['api', 'web', 'inbox', 'caddy', 'backup', 'pooler'].map((image) => `ballast/${image}:${stack.env.BALLAST_VERSION}`);

/** Starts the stack of a fresh clone once for all files. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = copySources();
  const [web = 0, api = 0, inbox = 0] = [await freePort(), await freePort(), await freePort()];
  const stack: Stack = {
    folder,
    project: `ballast-lab-${process.pid}`,
    files: ['docker-compose.yml'],
    // A version of its own: `up` builds what is missing, and takes what is there as it is.
    env: { BALLAST_VERSION: `lab-${process.pid}`, WEB_PORT: `${web}`, API_PORT: `${api}`, INBOX_PORT: `${inbox}` },
  };
  const end = async () => {
    await remove(stack);
    await docker(['rmi', '-f', ...images(stack)], { mayFail: true });
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await compose(stack, promised);
    await compose(stack, [...promised, '--wait', '--no-recreate']);
  } catch (error) {
    const logs = await compose(stack, ['logs', '--tail', '40'], { mayFail: true });
    await end();
    throw new Error(`The stack did not start: ${error instanceof Error ? error.message : error}\n${logs.stdout}`);
  }
  project.provide('stack', stack);
  project.provide('webUrl', `http://localhost:${web}`);
  project.provide('apiUrl', `http://localhost:${api}`);
  project.provide('inboxUrl', `http://localhost:${inbox}`);
  return end;
}
