import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:net';

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

/** As a machine that is gone: nobody answers who connects, and nobody refuses it either. */
export async function startMute(address: string, port: number): Promise<{ stop(): void }> {
  // It listens and never takes what waits: once its line is full, the kernel drops who comes.
  const program = `require('node:net').createServer().listen({ host: '${address}', port: ${port}, backlog: 1 }, () => {
    require('node:fs').writeSync(1, 'listens');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  })`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  const line = Array.from({ length: 6 }, () => connect(port, address).on('error', () => {}));
  await once(line[0] as (typeof line)[number], 'connect');
  return {
    stop() {
      for (const socket of line) socket.destroy();
      child.kill('SIGKILL');
    },
  };
}
