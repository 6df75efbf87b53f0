/**
 * The world outside: an HTTP and an SMTP server that count what arrives, by the number
 * of the job and by the key that it carries. Both fail now and then, some of them after they
 * have taken what was sent: the sender cannot know.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { SMTPServer } from 'smtp-server';

export interface Sinks {
  httpUrl: string;
  smtpUrl: string;
  /** How often each key came, by the number of the job that sent it. */
  received: ReadonlyMap<number, ReadonlyMap<string, number>>;
  close(): Promise<void>;
}

export async function openSinks(): Promise<Sinks> {
  const received = new Map<number, Map<string, number>>();

  /** Returns whether this number comes for the first time, under whatever key. */
  const count = (n: number, key: string): boolean => {
    const known = received.get(n);
    const keys = known ?? new Map<string, number>();
    received.set(n, keys);
    keys.set(key, (keys.get(key) ?? 0) + 1);
    return !known;
  };

  const http = createServer((request, response) => {
    request.resume();
    const [, kind, n] = (request.url ?? '').split('/');
    const first = count(Number(n), String(request.headers['idempotency-key']));
    // What has one attempt only must not be refused, or its end would say nothing.
    const failing = kind === 'once' || !first ? 'not' : failureOf(Number(n));
    if (failing === 'reply lost') return void request.socket.destroy();
    response.writeHead(failing === 'refused' ? 503 : 204).end();
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');

  const smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    disableReverseLookup: true,
    async onData(stream, session, done) {
      const mail = await text(stream).catch(() => '');
      // Half a mail from a process that died is none.
      const key = /^Message-ID:\s*<([^@>]+)@/im.exec(mail)?.[1];
      const n = Number(/^n(\d+)@/.exec(session.envelope.rcptTo[0]?.address ?? '')?.[1]);
      if (!key) return done(Object.assign(new Error('no Message-ID'), { responseCode: 554 }));
      const failing = count(n, key) ? failureOf(n) : 'not';
      if (failing === 'refused') return done(Object.assign(new Error('busy'), { responseCode: 451 }));
      // 421 closes the connection, after the mail was taken.
      if (failing === 'reply lost') return done(Object.assign(new Error('going away'), { responseCode: 421 }));
      return done();
    },
  });
  smtp.on('error', () => {});
  await new Promise<void>((listening) => smtp.listen(0, '127.0.0.1', listening));

  return {
    httpUrl: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    smtpUrl: `smtp://127.0.0.1:${(smtp.server.address() as AddressInfo).port}`,
    received,
    async close() {
      http.closeAllConnections();
      http.close();
      await once(http, 'close');
      await new Promise<void>((closed) => smtp.close(closed));
    },
  };
}

function failureOf(n: number): 'not' | 'refused' | 'reply lost' {
  if (n % 37 === 0) return 'refused';
  return n % 41 === 0 ? 'reply lost' : 'not';
}
