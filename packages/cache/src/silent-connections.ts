import type { Server } from 'node:http';
import type { Socket } from 'node:net';

export interface SilentConnections {
  /** Closes those on which nothing has come: an HTTP server does not count them among its idle ones. */
  close(): void;
}

export interface KeepOptions {
  /** For how long after its `headersTimeout` a connection may be silent; as long as an idle one is kept. */
  keptMs: number;
  /** Answers what cannot be read as HTTP, or came too slowly, and ends the connection. */
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
  const connections = new Set<Socket>();
  const isSilent = (socket: Socket) => socket.bytesRead === 0;
  const closeSilent = (socket: Socket) => {
    if (isSilent(socket)) socket.destroy();
  };
  server.on('connection', (socket: Socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, duplex) => {
    const socket = duplex as Socket;
    if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && isSilent(socket)) {
      setTimeout(closeSilent, keptMs, socket).unref();
    } else if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy();
    else refuse(error, socket);
  });
  return {
    close() {
      for (const socket of connections) closeSilent(socket);
    },
  };
}
