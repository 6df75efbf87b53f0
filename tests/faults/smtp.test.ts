/** What an SMTP server answers, and what becomes of the mail's job: row 33 of the fault table, with a worker in a process of its own. */
import { type AddressInfo, connect, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { queueBackends } from '@ballast/test-kit/queue';
import { startSmtpSink } from '@ballast/test-kit/smtp-sink';
import { SMTPServer } from 'smtp-server';
import { describe, expect, test, vi } from 'vitest';
import { goalMs, on } from './stage.ts';

/** Takes a mail's data and answers with this code as often as told, and then takes it. */
async function refusing(responseCode: number, times: number) {
  const tried: string[] = [];
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    authOptional: true,
    onData(stream, _session, answered) {
      text(stream).then((mail) => {
        tried.push(/^Message-ID: (<.*>)/im.exec(mail)?.[1] ?? '');
        answered(tried.length > times ? null : Object.assign(new Error('told to'), { responseCode }));
      }, answered);
    },
  });
  server.on('error', () => {});
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.server.address() as AddressInfo;
  return {
    url: `smtp://127.0.0.1:${port}`,
    tried,
    close: () => new Promise<void>((closed) => server.close(() => closed())),
  };
}

describe.concurrent.each(queueBackends)('a mail of a worker on %s', { timeout: 4 * goalMs }, (backend) => {
  test('that the server defers (4xx) is tried again, under the same Message-ID (row 33)', () =>
    on(backend, async (stage) => {
      const server = await refusing(451, 2);
      await stage.worker({ SMTP_URL: server.url, FAULT_HANDLER: 'mail' });
      const [id] = await stage.produce(1);
      await stage.allDone(1);
      expect(server.tried).toEqual(Array(3).fill(`<${id}@faults.test>`));
      const failures = await stage.jobsDb.sql<{ message: string }[]>`select message from jobs.failure`;
      expect(failures).toHaveLength(2);
      for (const { message } of failures) expect(message).toContain('451');
      await server.close();
    }));

  test('that the server refuses (5xx) is dead at once, with the reason, and no other waits for it (row 33)', () =>
    on(backend, async (stage) => {
      const server = await refusing(554, 1);
      await stage.worker({ SMTP_URL: server.url, FAULT_HANDLER: 'mail' });
      const [id] = await stage.produce(1);
      await vi.waitFor(async () => expect(await stage.states()).toEqual({ dead: 1 }), { timeout: goalMs });
      expect(server.tried).toEqual([`<${id}@faults.test>`]);
      const failures = await stage.jobsDb.sql<{ message: string }[]>`select message from jobs.failure`;
      expect(failures).toEqual([{ message: expect.stringContaining('554') }]);
      await stage.produce(1, { from: 1 });
      await vi.waitFor(async () => expect(await stage.states()).toEqual({ dead: 1, done: 1 }), { timeout: goalMs });
      await server.close();
    }));

  test('that hangs in a server which says nothing is sent once another takes its address (row 33)', () =>
    on(backend, async (stage) => {
      const sink = await startSmtpSink();
      const sinkPort = Number(new URL(sink.url).port);
      let connections = 0;
      let speaking = false;
      const gate = createServer((client) => {
        connections += 1;
        client.on('error', () => {});
        if (!speaking) return;
        const onward = connect(sinkPort, '127.0.0.1');
        onward.on('error', () => client.destroy());
        client.pipe(onward).pipe(client);
      });
      await new Promise<void>((listening) => gate.listen(0, '127.0.0.1', listening));
      const { port } = gate.address() as AddressInfo;
      await stage.worker({ SMTP_URL: `smtp://127.0.0.1:${port}`, FAULT_HANDLER: 'mail' });
      const [id] = await stage.produce(1);
      await vi.waitFor(async () => expect(connections).toBeGreaterThan(1), { timeout: goalMs });
      speaking = true;
      await stage.allDone(1);
      expect(sink.received).toEqual([`<${id}@faults.test>`]);
      gate.close();
      await sink.close();
    }));
});
