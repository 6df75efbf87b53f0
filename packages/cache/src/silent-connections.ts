import type { Server } from 'node:http';
import type { Socket } from 'node:net';

export interface SilentConnections {
  /** Closes those on which nothing has come: an HTTP server does not count them among its idle ones. */
  close(): void;
}

export interface KeepOptions {
  /** How long nothing may come over a new connection; as long as an idle one is kept. */
  keptMs: number;
  /** Answers what cannot be read as HTTP, or came too slowly; instead of a listener to `clientError`. */
  refuse(error: NodeJS.ErrnoException, socket: Socket): void;
}

/**
 * Keeps connections on which nothing has come yet as it keeps idle ones. A proxy dials ahead: when a connection is free again before
 * the new one stands, the request takes that, and the new one waits for a later request (Go's `http.Transport`, and so Caddy).
 * Node takes such a wait for a request that is late: after `headersTimeout` it answers 408, and whoever sends at that moment reads
 * that as the answer to a request which nobody has seen (one of 11,405 in a roll under load). It asks once; when a request
 * begins, its time begins.
 */
export function keepSilent(server: Server, { keptMs, refuse }: KeepOptions): SilentConnections {
  const dialled = new Map<Socket, NodeJS.Timeout>();
  const isSilent = (socket: Socket) => socket.bytesRead === 0;
  const closeSilent = (socket: Socket) => {
    if (isSilent(socket)) socket.destroy();
  };
  server.on('connection', (socket: Socket) => {
    const timer = setTimeout(() => {
      dialled.delete(socket);
      closeSilent(socket);
    }, keptMs);
    dialled.set(socket, timer.unref());
    socket.once('close', () => {
      clearTimeout(timer);
      dialled.delete(socket);
    });
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && isSilent(socket as Socket)) return;
    refuse(error, socket as Socket);
  });
  return {
    close() {
      for (const socket of dialled.keys()) closeSilent(socket);
    },
  };
}
