/**
 * Runs the standalone build and stops it well. Next's own server closes its port at once on SIGTERM;
 * behind a load balancer, requests that are on their way would then be refused. Here /readyz says
 * `draining` first; after the delay nothing is accepted any more, answers close their connections, and what is in flight is finished.
 * Before that, what makes it one of several is opened: the installation's key, the shared cache (`dist/replica.mjs`, which reads the settings too).
 * It lies beside `server.js` in the built folder: node apps/web/.next/standalone/apps/web/serve.mjs
 */
import http from 'node:http';
import { Server as NetServer } from 'node:net';

process.env.NODE_ENV = 'production';
process.env.NEXT_MANUAL_SIG_HANDLE = 'true';
// Docker sets HOSTNAME to the container's name, which still is an address of it; empty means this machine only.
process.env.HOSTNAME ||= '127.0.0.1';
process.env.PORT ||= '3000';

const { clientAddress, keepSilent, openReplica, readWebSettings } = await import('./dist/replica.mjs');
const { settings, replica } = await opened();
/** For this long after the last new connection, those that are idle are served and not closed. */
const SETTLE_MS = Math.min(1_000, settings.shutdownGraceMs / 2);
const TIDY_EVERY_MS = 50;

async function opened() {
  try {
    return { settings: readWebSettings(), replica: await openReplica(import.meta.dirname) };
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}

/** Whoever sends a byte a second keeps a connection for this long, as on the API. */
const timeouts = { headersTimeout: 8_000, requestTimeout: 9_000, connectionsCheckingInterval: 1_000 };
/** @type {{ server: http.Server, silent: { close(): void } }[]} */
const servers = [];
const createServer = http.createServer;
http.createServer = (...args) => {
  const listener = args.pop();
  const server = createServer({ ...args[0], ...timeouts }, async (request, response) => {
    if (!(await replica.answer(request, response))) listener(request, response);
  });
  const silent = keepSilent(server, { keptMs: Number(process.env.KEEP_ALIVE_TIMEOUT ?? 75_000), refuse });
  server.prependListener('request', (request, response) => {
    nameClient(request);
    // Not sooner: a proxy would dial for every request, and what it dialled last is reset with the listening socket.
    if (closing) response.setHeader('connection', 'close');
  });
  servers.push({ server, silent });
  return server;
};

const refusals = {
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
};

let stopping = false;
let closing = false;
await import('./server.js');

for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => void stop());

async function stop() {
  if (stopping) return;
  stopping = true;
  globalThis[Symbol.for('ballast.web.draining')] = true;
  await new Promise((resolve) => setTimeout(resolve, settings.shutdownDelayMs));
  closing = true;
  setTimeout(() => process.exit(0), settings.shutdownGraceMs).unref();
  await Promise.all(
    servers.map(({ server, silent }) => {
      // Of an HTTP server `close` would close idle connections too, on which a proxy may be sending this moment. It learns
      // first, from a connection that is refused, to leave this replica out.
      const closed = new Promise((resolve) => NetServer.prototype.close.call(server, resolve));
      const closeIdle = () => {
        server.closeIdleConnections();
        silent.close();
      };
      // In ticks and not by the clock, and after what came in is read: a process that stood still has passed one of them.
      let ticksLeft = Math.ceil(SETTLE_MS / TIDY_EVERY_MS);
      setInterval(() => {
        ticksLeft -= 1;
        if (ticksLeft <= 0) setImmediate(closeIdle);
      }, TIDY_EVERY_MS).unref();
      return closed;
    }),
  );
  process.exit(0);
}

/** What cannot be read as HTTP, or came too slowly. A browser sends neither. */
function refuse(error, socket) {
  socket.end(`HTTP/1.1 ${refusals[error.code] ?? '400 Bad Request'}\r\nConnection: close\r\n\r\n`);
}

/**
 * Leaves one address in X-Forwarded-For: the client's, which the proxies of ours saw. Next would keep whatever the
 * header says, so that a caller could choose the address that the API's limits are counted by; and a list would be
 * longer for what a page asks of the API than for what a browser asks, which Caddy sends there by itself.
 */
function nameClient({ socket, headers }) {
  const claimed = headers['x-forwarded-for'];
  headers['x-forwarded-for'] = clientAddress(socket.remoteAddress, claimed, settings.trustedProxyHops);
  // Only a proxy of ours gives requests their ids.
  if (settings.trustedProxyHops === 0) delete headers['x-request-id'];
}
