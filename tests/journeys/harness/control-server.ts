import { createServer } from 'node:http';
import type { System } from './system.ts';

export const commands = {
  'kill-worker': (system: System) => system.killWorker(),
  'start-worker': (system: System) => system.startWorker(),
  'shut-gate': (system: System) => system.gate.shut(),
  'open-gate': (system: System) => system.gate.open(),
  'count-waiting': (system: System) => system.gate.waiting(),
};

/** Lets the journeys, which run in processes of their own, hurt the system. */
export async function serveControl(system: System): Promise<{ url: string; close(): void }> {
  const server = createServer(async (request, response) => {
    try {
      const command = commands[(request.url ?? '').slice(1) as keyof typeof commands];
      response.end(JSON.stringify((await command(system)) ?? null));
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as { port: number };
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
}
