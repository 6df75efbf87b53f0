import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

/** A server of the test's own in a replica's place, for what only Caddy does. */
export async function startReplica(
  address: string,
  port: number,
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<{ stop(): void }> {
  const server = createServer({ keepAliveTimeout: 75_000 }, (request, response) => {
    // A body that ends before its end.
    answer(request, response).catch(() => response.destroy());
  }).listen(port, address);
  await once(server, 'listening');
  return {
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}
