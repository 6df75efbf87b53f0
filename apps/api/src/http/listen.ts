import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import { keepSilent } from '@ballast/cache/silent-connections';
import { type Env, problemResponse } from '@ballast/http';
import { AppError } from '@ballast/kernel';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';

export interface Listening {
  host: string;
  port: number;
  /** Accepts no more, lets requests under way end within `graceMs`, then cuts what is left. Returns how many were cut. */
  drain(graceMs: number): Promise<number>;
}

export interface ListenOptions {
  host: string;
  port: number;
  /** The name of the setting to change when the port is taken. */
  portSetting: string;
}

/** Whoever sends a byte a second keeps a socket for this long, and no longer. */
const timeouts = { headersTimeout: 8_000, requestTimeout: 9_000, connectionsCheckingInterval: 1_000 };
/** Longer than the proxies' own, so that none writes into a connection that closes this moment. */
const keepAliveTimeout = 75_000;

/** For this long after the last new connection, those that are idle are served and not closed. */
const settleMs = 1_000;
const tidyEveryMs = 50;

/** Listens, with the timeouts that a public port needs. */
export async function listen(app: Hono<Env>, options: ListenOptions): Promise<Listening> {
  // It also replaces the global Request and Response by its own, which become streams for whoever asks and not for every answer.
  const listener = getRequestListener(app.fetch as Parameters<typeof getRequestListener>[0], {
    // Half a second after an answer it would close the socket, in the middle of what else came over it (letGoBy does the same in time).
    autoCleanupIncoming: false,
    // An address or a Host that is no URL never becomes a request, so that the app cannot answer it.
    errorHandler: () => problemResponse(malformed(), 'none'),
  });
  let requests = 0;
  let closing = false;
  const server = createServer({ ...timeouts, keepAliveTimeout, maxHeaderSize: 16_384 }, (incoming, outgoing) => {
    requests += 1;
    outgoing.once('close', () => {
      requests -= 1;
    });
    outgoing.once('finish', () => letGoBy(incoming));
    closeWith(incoming, outgoing, () => closing);
    listener(incoming, outgoing);
  });
  const silent = keepSilent(server, { keptMs: keepAliveTimeout, refuse: refuseRaw });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(unavailable(error, options)));
    server.listen(options.port, options.host, resolve);
  });
  const address = server.address();
  return {
    host: options.host,
    port: typeof address === 'object' && address ? address.port : options.port,
    async drain(graceMs) {
      closing = true;
      // Of an HTTP server `close` would close idle connections too, on which a proxy may be sending this moment: a write that
      // is lost so cannot be repeated. It learns first, from a connection that is refused, to leave this replica out.
      const closed = new Promise<void>((resolve) => void NetServer.prototype.close.call(server, () => resolve()));
      // In ticks and not by the clock: a process that stood still has passed one of them, and has yet to read what came in.
      let ticksLeft = Math.ceil(Math.min(settleMs, graceMs / 2) / tidyEveryMs);
      const tidy = setInterval(() => {
        ticksLeft -= 1;
        if (ticksLeft > 0) return;
        // Timers come before what came in, if this tick is late: that is read first, and its connection is idle no more.
        setImmediate(() => {
          server.closeIdleConnections();
          silent.close();
        });
      }, tidyEveryMs);
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, graceMs);
      });
      await Promise.race([closed, late]);
      clearInterval(tidy);
      clearTimeout(timer);
      const cut = requests;
      server.closeAllConnections();
      await closed;
      return cut;
    },
  };
}

/**
 * Once nothing is accepted any more, each answer ends its connection. Not sooner: a proxy would dial for every request,
 * and what it dialled last would be reset with the listening socket (seen with Caddy: every second roll lost a
 * write or two). Not in front of a body that is still on its way either: what nobody has read resets the connection, too.
 */
function closeWith(incoming: IncomingMessage, outgoing: ServerResponse, closing: () => boolean): void {
  const { writeHead } = outgoing;
  outgoing.writeHead = (...args: unknown[]) => {
    if (closing() && (incoming.complete || bodiless(incoming))) outgoing.setHeader('Connection', 'close');
    // One of its overloads, as the adapter chose it.
    return writeHead.apply(outgoing, args as Parameters<typeof writeHead>);
  };
}

/** An answer that is made at once comes before the parser has said that the request is complete. */
function bodiless({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0';
}

/** What nobody read of a body is read and forgotten, so that the connection is free for the next request; `requestTimeout` bounds it. */
function letGoBy(incoming: IncomingMessage): void {
  if (!incoming.complete) incoming.removeAllListeners('data').resume();
}

/** What cannot be read as HTTP is answered like everything else, and its connection closed. */
function refuseRaw(error: NodeJS.ErrnoException, socket: Socket): void {
  const [status, code, detail] = rawProblems[error.code ?? ''] ?? [
    400,
    'request.malformed',
    'This is not a valid HTTP request.',
  ];
  const body = JSON.stringify({ type: 'about:blank', title: reasons[status], status, detail, code, requestId: 'none' });
  socket.end(
    `HTTP/1.1 ${status} ${reasons[status]}\r\nContent-Type: application/problem+json\r\nConnection: close\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

const rawProblems: Record<string, [number, string, string]> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'request.too_slow', 'The request took too long to arrive.'],
  HPE_HEADER_OVERFLOW: [431, 'request.headers_too_large', 'The headers are larger than 16 KiB.'],
};
const reasons: Record<number, string> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

function malformed(): AppError {
  return new AppError('request.malformed', { status: 400, public: 'The address or the Host header is not valid.' });
}

function unavailable(error: NodeJS.ErrnoException, options: ListenOptions): AppError {
  const place = `${options.host}:${options.port}`;
  const sentence =
    error.code === 'EADDRINUSE'
      ? `Port ${options.port} is in use. Stop what listens on ${place}, or set ${options.portSetting} to another port.`
      : `Cannot listen on ${place} (${error.code ?? 'unknown error'}). Set ${options.portSetting} to another port.`;
  return new AppError('server.cannot_listen', { public: sentence, cause: error, retryable: false });
}
