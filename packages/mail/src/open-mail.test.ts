import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { AppError } from '@ballast/kernel';
import { MailDev } from 'maildev';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { afterEach, describe, expect, test } from 'vitest';
import { messageIdOf } from './message-id.ts';
import { type Mail, type MailOptions, type Message, openMail } from './open-mail.ts';

type Email = Awaited<ReturnType<Awaited<ReturnType<MailDev['start']>>['smtp']['getEmail']>>;

const releases: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const release of releases.splice(0).reverse()) await release();
});

const message: Message = {
  messageId: messageIdOf('0199-job', 'example.com'),
  to: 'ada@example.com',
  subject: 'Grüße – hello',
  html: '<p>Hello</p>',
  text: 'Hello',
};

function open(port: number, options: Partial<MailOptions> = {}): Mail {
  const mail = openMail({ smtpUrl: `smtp://127.0.0.1:${port}`, from: 'Ballast <hello@example.com>', ...options });
  releases.push(() => mail.close());
  return mail;
}

/** A real SMTP server that answers as told. */
async function smtpServer(options: SMTPServerOptions): Promise<number> {
  const server = new SMTPServer({ disabledCommands: ['STARTTLS'], authOptional: true, ...options });
  server.on('error', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  releases.push(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return (server.server.address() as { port: number }).port;
}

/** A TCP server for what no SMTP server would do. */
async function tcpServer(onConnection: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  releases.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as { port: number }).port;
}

function replying(responseCode: number): Error {
  return Object.assign(new Error(`told to say ${responseCode}`), { responseCode });
}

async function failureOf(sending: Promise<unknown>): Promise<AppError> {
  return sending.then(
    () => expect.fail('the mail was sent'),
    (error: AppError) => error,
  );
}

test('arrives in a real inbox with its Message-ID, both bodies and Reply-To', async () => {
  const mailDirectory = await mkdtemp(join(tmpdir(), 'ballast-mail-'));
  const maildev = new MailDev({ smtp: 0, ip: '127.0.0.1', disableWeb: true, mailDirectory, silent: true });
  const { smtp } = await maildev.start();
  releases.push(async () => {
    await maildev.stop();
    await rm(mailDirectory, { recursive: true, force: true });
  });
  const arrived = new Promise<Email>((resolve) => smtp.once('new', resolve));
  const mail = open(smtp.getPort());
  await mail.verify();
  await mail.send({ ...message, replyTo: 'author@example.com' });
  const got = await arrived;
  expect(got.subject).toBe('Grüße – hello');
  expect(got.html?.trim()).toBe('<p>Hello</p>');
  expect(got.text?.trim()).toBe('Hello');
  expect(got.headers['message-id']).toBe('<0199-job@example.com>');
  expect(await text(await smtp.getRawEmail(got.id))).toMatch(/^Reply-To: author@example\.com\r?$/m);
  expect(got.from?.map((from) => from.address)).toEqual(['hello@example.com']);
  expect(got.envelope.to.map((to) => to.address)).toEqual(['ada@example.com']);
});

describe('what the server says', () => {
  const cases: [string, SMTPServerOptions, { code: string; retryable: boolean }][] = [
    [
      '450 to the recipient',
      { onRcptTo: (_a, _s, done) => done(replying(450)) },
      { code: 'mail.deferred', retryable: true },
    ],
    ['421 to the data', { onData: reject(421) }, { code: 'mail.deferred', retryable: true }],
    [
      '503, a confused session',
      { onRcptTo: (_a, _s, done) => done(replying(503)) },
      { code: 'mail.deferred', retryable: true },
    ],
    [
      '550 to the recipient',
      { onRcptTo: (_a, _s, done) => done(replying(550)) },
      { code: 'mail.refused', retryable: false },
    ],
    ['554 to the data', { onData: reject(554) }, { code: 'mail.refused', retryable: false }],
    [
      '550 to the sender',
      { onMailFrom: (_a, _s, done) => done(replying(550)) },
      { code: 'mail.refused', retryable: false },
    ],
    [
      '554 to the connection',
      { onConnect: (_s, done) => done(replying(554)) },
      { code: 'mail.deferred', retryable: true },
    ],
  ];
  test.each(cases)('%s', async (_name, options, expected) => {
    const mail = open(await smtpServer(options));
    expect(await failureOf(mail.send(message))).toMatchObject(expected);
  });

  test('a wrong password costs no mail: it is deferred', async () => {
    const port = await smtpServer({
      authOptional: false,
      allowInsecureAuth: true,
      onAuth: (_auth, _session, done) => done(replying(535)),
    });
    const mail = open(port, { smtpUrl: `smtp://user:secret-of-smtp@127.0.0.1:${port}` });
    const failure = await failureOf(mail.send(message));
    expect(failure).toMatchObject({ code: 'mail.deferred', retryable: true });
    expect(`${failure.internal} ${failure.public}`).not.toContain('secret-of-smtp');
    expect(await failureOf(mail.verify())).toMatchObject({ code: 'mail.deferred' });
  });

  test('accepts the data and drops its reply: deferred after one try, under the same Message-ID the next time', async () => {
    const seen: string[] = [];
    const port = await tcpServer((socket) => {
      socket.write('220 hello\r\n');
      let inData = false;
      socket.on('data', (chunk: Buffer) => {
        const said = chunk.toString();
        if (inData) {
          seen.push(/^Message-ID: (.*)$/im.exec(said)?.[1]?.trim() ?? 'none');
          if (said.endsWith('\r\n.\r\n')) socket.destroy();
        } else if (said.startsWith('DATA')) {
          inData = true;
          socket.write('354 go on\r\n');
        } else socket.write('250 ok\r\n');
      });
    });
    const mail = open(port);
    expect(await failureOf(mail.send(message))).toMatchObject({ code: 'mail.deferred' });
    expect(await failureOf(mail.send(message))).toMatchObject({ code: 'mail.deferred' });
    expect(seen.filter((id) => id !== 'none')).toEqual([message.messageId, message.messageId]);
  });
});

describe('a server that is away or slow', () => {
  test('nobody listens', async () => {
    const port = await tcpServer(() => {});
    await releases.pop()?.();
    expect(await failureOf(open(port).send(message))).toMatchObject({ code: 'mail.deferred', retryable: true });
  });

  test('connects and says nothing', async () => {
    const port = await tcpServer(() => {});
    const mail = open(port, { timeouts: { greetingMs: 150 } });
    expect(await failureOf(mail.send(message))).toMatchObject({ code: 'mail.deferred' });
  });

  test('falls silent after the greeting', async () => {
    const port = await tcpServer((socket) => socket.write('220 hello\r\n'));
    const mail = open(port, { timeouts: { silenceMs: 150 } });
    expect(await failureOf(mail.send(message))).toMatchObject({ code: 'mail.deferred' });
  });

  test('trickles for ever', async () => {
    const port = await tcpServer((socket) => {
      const trickle = setInterval(() => socket.write('220-still here\r\n'), 20);
      socket.on('close', () => clearInterval(trickle));
    });
    const mail = open(port, { timeouts: { sendMs: 300 } });
    const failure = await failureOf(mail.send(message));
    expect(failure).toMatchObject({ code: 'mail.deferred', retryable: true });
    expect(failure.internal).toContain('300 ms');
  });

  test('the caller gives up', async () => {
    const port = await tcpServer((socket) => socket.write('220 hello\r\n'));
    const giveUp = new AbortController();
    const sending = failureOf(open(port).send({ ...message, signal: giveUp.signal }));
    giveUp.abort(new Error('the job took too long'));
    expect(await sending).toMatchObject({ code: 'mail.deferred', retryable: true });
  });
});

describe('what is never sent', () => {
  test.each([
    ['subject', { subject: 'Hello\r\nBcc: everyone@example.com' }],
    ['to', { to: 'ada@example.com\nBcc: everyone@example.com' }],
    ['replyTo', { replyTo: 'a@example.com\r\nBcc: everyone@example.com' }],
    ['messageId', { messageId: '<a@b>\r\nBcc: everyone@example.com' }],
    ['to', { to: 'ada@example.com, everyone@example.com' }],
    ['to', { to: 'not-an-address' }],
  ])('a broken %s', async (name, broken) => {
    let connections = 0;
    const port = await tcpServer(() => connections++);
    const failure = await failureOf(open(port).send({ ...message, ...broken }));
    expect(failure).toMatchObject({ code: 'mail.refused', retryable: false });
    expect(failure.internal).toContain(name);
    expect(connections).toBe(0);
  });
});

describe('close', () => {
  test('lets a mail under way finish', async () => {
    let taken = 0;
    const underWay = Promise.withResolvers<void>();
    const port = await smtpServer({
      onData: (stream, _session, done) => {
        underWay.resolve();
        stream.resume();
        stream.on('end', () => setTimeout(() => done(null, `taken ${++taken}`), 200));
      },
    });
    const mail = open(port);
    const sending = mail.send(message);
    await underWay.promise;
    await mail.close({ graceMs: 30_000 });
    await sending;
    expect(taken).toBe(1);
  });

  test('does not wait longer than its grace', async () => {
    const port = await tcpServer((socket) => socket.write('220 hello\r\n'));
    const mail = open(port);
    const sending = failureOf(mail.send(message));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await mail.close({ graceMs: 100 });
    expect(await sending).toMatchObject({ code: 'mail.deferred' });
  });
});

function reject(responseCode: number): NonNullable<SMTPServerOptions['onData']> {
  return (stream, _session, done) => {
    stream.resume();
    stream.on('end', () => done(replying(responseCode)));
  };
}
