import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** A DNS server that knows a few names: what Docker's is to the containers. Names have no other records than A. */
export interface NameServer {
  address: string;
  set(name: string, addresses: readonly string[]): void;
  /** Hears questions and answers none, until it is told to again. */
  silence(silent: boolean): void;
  close(): void;
}

const typeA = 1;

export async function openNameServer(host = '127.0.0.1', port = 0): Promise<NameServer> {
  const known = new Map<string, readonly string[]>();
  const socket = createSocket('udp4');
  let silent = false;
  socket.on('message', (query, from) => {
    if (silent) return;
    const { name, type, end } = questionOf(query);
    const addresses = type === typeA ? (known.get(name) ?? []) : [];
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    // An answer, with authority; a name that nobody set does not exist.
    header.writeUInt16BE(known.has(name) ? 0x8580 : 0x8583, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(addresses.length, 6);
    const records = addresses.map((address) =>
      // The name of the question, type A, class IN, no time to live, four bytes.
      Buffer.from([0xc0, 12, 0, typeA, 0, 1, 0, 0, 0, 0, 0, 4, ...address.split('.').map(Number)]),
    );
    socket.send(Buffer.concat([header, query.subarray(12, end), ...records]), from.port, from.address);
  });
  socket.bind(port, host);
  await once(socket, 'listening');
  return {
    address: `${host}:${socket.address().port}`,
    set: (name, addresses) => known.set(name, addresses),
    silence(wanted) {
      silent = wanted;
    },
    close: () => socket.close(),
  };
}

function questionOf(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}
