/**
 * Runs the standalone build and stops it well. Next's own server closes its port at once on SIGTERM;
 * behind a load balancer, requests that are on their way would then be refused. Here /readyz says
 * `draining` first, what is in flight is finished, and only then the process ends.
 * It lies beside `server.js` in the built folder: node apps/web/.next/standalone/apps/web/serve.mjs
 */
import http from 'node:http';

const GRACE_MS = milliseconds('SHUTDOWN_GRACE_MS', 10_000);
const DELAY_MS = milliseconds('SHUTDOWN_DELAY_MS', 0);

process.env.NODE_ENV = 'production';
process.env.NEXT_MANUAL_SIG_HANDLE = 'true';
// Docker sets HOSTNAME to the container's name, which still is an address of it; empty means this machine only.
process.env.HOSTNAME ||= '127.0.0.1';
process.env.PORT ||= '3000';

/** @type {http.Server[]} */
const servers = [];
const createServer = http.createServer;
http.createServer = (...args) => {
  const server = createServer(...args);
  server.prependListener('request', addCallerToForwardedFor);
  servers.push(server);
  return server;
};

await import('./server.js');

let stopping = false;
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => void stop());

async function stop() {
  if (stopping) return;
  stopping = true;
  globalThis[Symbol.for('ballast.web.draining')] = true;
  await new Promise((resolve) => setTimeout(resolve, DELAY_MS));
  setTimeout(() => process.exit(0), GRACE_MS).unref();
  await Promise.all(
    servers.map((server) => {
      const closed = new Promise((resolve) => server.close(resolve));
      // Browsers keep a connection after its answer; each is closed as it falls idle.
      setInterval(() => server.closeIdleConnections(), 50).unref();
      return closed;
    }),
  );
  process.exit(0);
}

/**
 * Appends the address that connected here, as every proxy must. Next adds it only when the header is
 * absent, so that a caller could choose the address that the API's limits are counted by.
 */
function addCallerToForwardedFor(request) {
  const caller = request.socket.remoteAddress;
  if (!caller) return;
  const before = request.headers['x-forwarded-for'];
  request.headers['x-forwarded-for'] = before ? `${before}, ${caller}` : caller;
}

function milliseconds(name, fallback) {
  const value = Number(process.env[name] || fallback);
  if (!Number.isFinite(value) || value < 0) {
    console.error(`${name} must be a number of milliseconds.`);
    process.exit(1);
  }
  return value;
}
