import { createServer } from 'node:http';
import type { Socket } from 'node:net';
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

/** Listens, with the timeouts that a public port needs. */
export async function listen(app: Hono<Env>, options: ListenOptions): Promise<Listening> {
  const listener = getRequestListener(app.fetch as Parameters<typeof getRequestListener>[0], {
    overrideGlobalObjects: false,
    // An address or a Host that is no URL never becomes a request, so that the app cannot answer it.
    errorHandler: () => problemResponse(malformed(), 'none'),
  });
  let requests = 0;
  const server = createServer({ ...timeouts, keepAliveTimeout, maxHeaderSize: 16_384 }, (incoming, outgoing) => {
    requests += 1;
    outgoing.once('close', () => {
      requests -= 1;
    });
    listener(incoming, outgoing);
  });
  server.on('clientError', refuseRaw);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(unavailable(error, options)));
    server.listen(options.port, options.host, resolve);
  });
  const address = server.address();
  return {
    host: options.host,
    port: typeof address === 'object' && address ? address.port : options.port,
    async drain(graceMs) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      // A keep-alive connection whose request has just ended is idle only now.
      const tidy = setInterval(() => server.closeIdleConnections(), 50);
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

/** What cannot be read as HTTP is answered like everything else, and its connection closed. */
function refuseRaw(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
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
