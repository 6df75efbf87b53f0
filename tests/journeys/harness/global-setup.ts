import type { TestProject } from 'vitest/node';
import { serveControl } from './control-server.ts';
import { startSystem } from './system.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    webUrl: string;
    inboxUrl: string;
    controlUrl: string;
    resolverPort: number;
    queue: 'postgres' | 'redis';
  }
}

/** Starts the built system once for all journeys. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const queue = process.env.BALLAST_JOURNEYS_QUEUE === 'redis' ? 'redis' : 'postgres';
  const system = await startSystem(queue);
  const control = await serveControl(system);
  project.provide('webUrl', system.webUrl);
  project.provide('inboxUrl', system.inboxUrl);
  project.provide('controlUrl', control.url);
  project.provide('resolverPort', system.resolverPort);
  project.provide('queue', queue);
  return async () => {
    control.close();
    await system.stop();
  };
}
