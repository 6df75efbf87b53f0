/**
 * Runs the standalone build and stops it well. Next's own server closes its port at once on SIGTERM;
 * behind a load balancer, requests that are on their way would then be refused. Here /readyz says
 * `draining` first; after the delay nothing is accepted any more, answers close their connections, and what is in flight is finished.
 * Before that, what makes it one of several is opened: the installation's key, the shared cache (`dist/replica.mjs`).
 * It lies beside `server.js` in the built folder: node apps/web/.next/standalone/apps/web/serve.mjs
 */
import http from 'node:http';
import { isIP, Server as NetServer } from 'node:net';

const GRACE_MS = milliseconds('SHUTDOWN_GRACE_MS', 10_000);
const DELAY_MS = milliseconds('SHUTDOWN_DELAY_MS', 0);
/** For this long after the last new connection, those that are idle are served and not closed. */
const SETTLE_MS = Math.min(1_000, GRACE_MS / 2);
/** Proxies of ours between the browsers and this process. */
const HOPS = Number(process.env.TRUSTED_PROXY_HOPS || 0);
if (!Number.isInteger(HOPS) || HOPS < 0) {
  console.error('TRUSTED_PROXY_HOPS must be a whole number.');
  process.exit(1);
}

process.env.NODE_ENV = 'production';
process.env.NEXT_MANUAL_SIG_HANDLE = 'true';
// Docker sets HOSTNAME to the container's name, which still is an address of it; empty means this machine only.
process.env.HOSTNAME ||= '127.0.0.1';
process.env.PORT ||= '3000';

let replica = { answer: async () => false };
try {
  const { openReplica } = await import('./dist/replica.mjs');
  replica = await openReplica(import.meta.dirname);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}

/** @type {http.Server[]} */
const servers = [];
const createServer = http.createServer;
http.createServer = (...args) => {
  const listener = args.pop();
  const server = createServer(...args, async (request, response) => {
    if (!(await replica.answer(request, response))) listener(request, response);
  });
  // Whoever sends a byte a second keeps a connection for this long, as on the API.
  Object.assign(server, { headersTimeout: 8_000, requestTimeout: 9_000 });
  server.prependListener('request', (request, response) => {
    nameClient(request);
    // Not sooner: a proxy would dial for every request, and what it dialled last is reset with the listening socket.
    if (closing) response.setHeader('connection', 'close');
  });
  servers.push(server);
  return server;
};

let stopping = false;
let closing = false;
await import('./server.js');

for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => void stop());

async function stop() {
  if (stopping) return;
  stopping = true;
  globalThis[Symbol.for('ballast.web.draining')] = true;
  await new Promise((resolve) => setTimeout(resolve, DELAY_MS));
  closing = true;
  setTimeout(() => process.exit(0), GRACE_MS).unref();
  await Promise.all(
    servers.map((server) => {
      // Of an HTTP server `close` would close idle connections too, on which a proxy may be sending this moment. It learns
      // first, from a connection that is refused, to leave this replica out.
      const closed = new Promise((resolve) => NetServer.prototype.close.call(server, resolve));
      setTimeout(() => setInterval(() => server.closeIdleConnections(), 50).unref(), SETTLE_MS).unref();
      return closed;
    }),
  );
  process.exit(0);
}

/**
 * Leaves one address in X-Forwarded-For: the client's, which the proxies of ours saw. Next would keep whatever the
 * header says, so that a caller could choose the address that the API's limits are counted by; and a list would be
 * longer for what a page asks of the API than for what a browser asks, which Caddy sends there by itself.
 */
function nameClient({ socket, headers }) {
  const peer = plain(socket.remoteAddress ?? '');
  if (!peer) return;
  const seen = [...String(headers['x-forwarded-for'] ?? '').split(','), peer];
  headers['x-forwarded-for'] = plain(seen[Math.max(0, seen.length - 1 - HOPS)]) ?? peer;
  // Only a proxy of ours gives requests their ids.
  if (HOPS === 0) delete headers['x-request-id'];
}

/** As the API reads it: without port, brackets, zone, or IPv6 clothes of an IPv4 address; null when it is none. */
function plain(text) {
  const bare = text
    .trim()
    .replace(/^\[([^\]]*)\](?::\d+)?$/, '$1')
    .replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1')
    .replace(/%.*$/, '')
    .replace(/^::ffff:(?=\d+\.)/i, '');
  return isIP(bare) ? bare : null;
}

function milliseconds(name, fallback) {
  const value = Number(process.env[name] || fallback);
  if (!Number.isFinite(value) || value < 0) {
    console.error(`${name} must be a number of milliseconds.`);
    process.exit(1);
  }
  return value;
}
