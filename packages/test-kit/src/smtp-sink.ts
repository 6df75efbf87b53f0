import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { SMTPServer } from 'smtp-server';

export interface SmtpSink {
  url: string;
  /** The Message-IDs of what was accepted, repeats included, in order. */
  received: readonly string[];
  /** How many mails were begun (MAIL FROM), ended or not. */
  begun(): number;
  close(): Promise<void>;
}

/** A real SMTP server that accepts everything and remembers what it was given. */
export async function startSmtpSink(): Promise<SmtpSink> {
  const received: string[] = [];
  let begun = 0;
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    authOptional: true,
    onMailFrom(_address, _session, accepted) {
      begun += 1;
      accepted();
    },
    onData(stream, _session, accepted) {
      text(stream).then((mail) => {
        received.push(/^Message-ID: (<.*>)/im.exec(mail)?.[1] ?? '');
        accepted();
      }, accepted);
    },
  });
  // A worker that is killed cuts its connection.
  server.on('error', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`,
    received,
    begun: () => begun,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
