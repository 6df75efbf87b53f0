import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** A DNS server that knows a few names: what Docker's is to the containers. Names have records of the types A and TXT. */
export interface NameServer {
  address: string;
  set(name: string, addresses: readonly string[]): void;
  /** Each text is a record; none leaves the name without any. */
  setTexts(name: string, texts: readonly string[]): void;
  /** Answers questions of this name with a failure of the server's, until a record of it is set. */
  fail(name: string): void;
  /** Hears questions and answers none, until it is told to again. */
  silence(silent: boolean): void;
  close(): void;
}

const typeA = 1;
const typeText = 16;

export async function openNameServer(host = '127.0.0.1', port = 0): Promise<NameServer> {
  const known = new Map<string, Map<number, readonly Buffer[]>>();
  const failing = new Set<string>();
  const socket = createSocket('udp4');
  let silent = false;
  socket.on('message', (query, from) => {
    if (silent) return;
    const { name, type, end } = questionOf(query);
    const records = known.get(name)?.get(type) ?? [];
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    // An answer, with authority; a name that nobody set does not exist.
    const result = failing.has(name) ? 2 : known.has(name) ? 0 : 3;
    header.writeUInt16BE(0x8580 | result, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records.length, 6);
    const answers = records.map((data) =>
      // The name of the question, its type, class IN, no time to live, the length of what follows.
      Buffer.concat([Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 0, data.length >> 8, data.length & 0xff]), data]),
    );
    socket.send(Buffer.concat([header, query.subarray(12, end), ...answers]), from.port, from.address);
  });
  const keep = (name: string, type: number, records: readonly Buffer[]) => {
    failing.delete(name);
    known.set(name, new Map([...(known.get(name) ?? []), [type, records]]));
  };
  socket.bind(port, host);
  await once(socket, 'listening');
  return {
    address: `${host}:${socket.address().port}`,
    set: (name, addresses) =>
      keep(
        name,
        typeA,
        addresses.map((address) => Buffer.from(address.split('.').map(Number))),
      ),
    setTexts: (name, texts) => keep(name, typeText, texts.map(textRecord)),
    fail: (name) => failing.add(name),
    silence(wanted) {
      silent = wanted;
    },
    close: () => socket.close(),
  };
}

/** Strings of at most 255 bytes, each after its length. */
function textRecord(text: string): Buffer {
  const parts = text.match(/[\s\S]{1,255}/g) ?? [''];
  return Buffer.concat(parts.flatMap((part) => [Buffer.from([Buffer.byteLength(part)]), Buffer.from(part)]));
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
