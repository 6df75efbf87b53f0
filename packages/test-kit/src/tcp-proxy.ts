import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface TcpProxy {
  /** The target's URL, through the proxy. */
  url: string;
  /** Refuses connections and cuts those that stand: a server that was stopped. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Keeps connections and passes nothing on: a network that swallows packets. Returns how many stand. */
  freeze(): number;
  thaw(): void;
  /** Half-open: the connections that stand pass nothing on for ever, and new ones work. Returns how many stood. */
  forget(): number;
  /** Resets the connections that stand; new ones work. Returns how many stood. */
  reset(): number;
  /** From now on resets each connection as it comes, or, with `false`, none any more. */
  spurn(spurning: boolean): void;
  /** From now on everything arrives so much later, in either direction. */
  delay(ms: number): void;
  /** How many connections were made to it so far. */
  accepted(): number;
  /** How many stand, and pass something on. */
  standing(): number;
  close(): Promise<void>;
}

/** Stands between a test and a shared server, so that the test can take "its" server away. */
export async function openTcpProxy(
  target: string,
  /** Made for each connection: what reaches the client of what the server sends. */
  filter: () => (data: Buffer) => Buffer = () => (data) => data,
  /** Where it listens: on a free port of loopback, unless a test needs an address of its own. */
  at: { host: string; port: number } = { host: '127.0.0.1', port: 0 },
): Promise<TcpProxy> {
  const { hostname, port: targetPort } = new URL(target);
  const sockets = new Set<Socket>();
  const forgotten = new Set<Socket>();
  let frozen = false;
  let spurning = false;
  let delayMs = 0;
  let accepted = 0;
  const server = createServer((client) => {
    accepted += 1;
    if (spurning) return void client.resetAndDestroy();
    const upstream = connect(Number(targetPort), hostname);
    for (const [from, to, passing] of [
      [client, upstream, (data: Buffer) => data],
      [upstream, client, filter()],
    ] as const) {
      sockets.add(from);
      if (frozen) from.pause();
      const write = later((data) => to.writable && to.write(data));
      from.on('data', (data) => write(passing(data), delayMs));
      from.on('close', () => {
        sockets.delete(from);
        // The other end of a forgotten link never hears that this one has gone.
        if (forgotten.delete(from) && forgotten.has(to)) return;
        to.destroy();
      });
      from.on('error', () => to.destroy());
    }
  });
  const listen = async (port: number) => {
    server.listen(port, at.host);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const own = await listen(at.port);
  // A socket to the client and one to the server each.
  const standing = () => sockets.size / 2;
  const stop = async () => {
    for (const socket of [...sockets, ...forgotten]) socket.destroy();
    if (!server.listening) return;
    server.close();
    await once(server, 'close');
  };
  const url = new URL(target);
  url.hostname = at.host;
  url.port = String(own);
  return {
    url: url.href,
    stop,
    start: async () => void (await listen(own)),
    freeze() {
      frozen = true;
      for (const socket of sockets) socket.pause();
      return standing();
    },
    thaw() {
      frozen = false;
      for (const socket of sockets) socket.resume();
    },
    forget() {
      const links = standing();
      for (const socket of sockets) {
        socket.pause();
        forgotten.add(socket);
      }
      sockets.clear();
      return links;
    },
    reset() {
      const links = standing();
      for (const socket of sockets) socket.resetAndDestroy();
      return links;
    },
    spurn(now) {
      spurning = now;
    },
    delay(ms) {
      delayMs = ms;
    },
    accepted: () => accepted,
    standing,
    close: stop,
  };
}

/** Writes each piece so much later than it came, in the order in which they came, also when the delay has shrunk meanwhile. */
function later(write: (data: Buffer) => void): (data: Buffer, ms: number) => void {
  const queue: { data: Buffer; at: number }[] = [];
  let waits = false;
  function pass(): void {
    for (let next = queue[0]; next && !waits; next = queue[0]) {
      const ms = next.at - performance.now();
      if (ms > 0) {
        waits = true;
        setTimeout(() => {
          waits = false;
          pass();
        }, Math.ceil(ms));
      } else {
        queue.shift();
        write(next.data);
      }
    }
  }
  return (data, ms) => {
    queue.push({ data, at: performance.now() + ms });
    pass();
  };
}
