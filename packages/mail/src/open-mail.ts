import { createTransport } from 'nodemailer';
import { deferred, failureOf, refused } from './failure.ts';

export interface MailOptions {
  /** `smtp://` or `smtps://`, with user and password when the server asks for them. */
  smtpUrl: string;
  /** `Name <address>` */
  from: string;
  maxConnections?: number;
  timeouts?: Partial<Timeouts>;
}

interface Timeouts {
  /** Until the connection stands. */
  connectMs: number;
  /** Until the server's first line. */
  greetingMs: number;
  /** Without a byte on the connection. */
  silenceMs: number;
  /** For one mail, waiting for a free connection included. */
  sendMs: number;
}

export interface Message {
  /** From `messageIdOf`. */
  messageId: string;
  /** One address. */
  to: string;
  replyTo?: string;
  subject: string;
  html: string;
  text: string;
  /** Aborting gives the mail up; it may have been sent all the same. */
  signal?: AbortSignal;
}

export interface Mail {
  /** Resolves when the server has taken the mail over. */
  send(message: Message): Promise<void>;
  /** Connects and logs in; throws `mail.deferred` with the reason in `internal`. */
  verify(): Promise<void>;
  /** Lets mails under way finish, but not for longer than `graceMs`. */
  close(options?: { graceMs?: number }): Promise<void>;
}

/** Opens the pool. Connects on first use, so a server that is down is no error here. */
export function openMail(options: MailOptions): Mail {
  const timeouts = { connectMs: 5_000, greetingMs: 5_000, silenceMs: 15_000, sendMs: 30_000, ...options.timeouts };
  const transport = createTransport(
    {
      url: options.smtpUrl,
      pool: true,
      maxConnections: options.maxConnections ?? 5,
      // The job repeats a mail, not the pool: a server that takes a mail and drops
      // its reply would otherwise get it six times from one attempt.
      maxRequeues: 0,
      // Most servers close after a minute or more; whoever closes second finds out with a mail in hand.
      idleTimeout: 30_000,
      connectionTimeout: timeouts.connectMs,
      greetingTimeout: timeouts.greetingMs,
      socketTimeout: timeouts.silenceMs,
      dnsTimeout: timeouts.connectMs,
      disableFileAccess: true,
      disableUrlAccess: true,
    },
    { from: options.from },
  );
  const underWay = new Set<Promise<unknown>>();

  async function send(message: Message): Promise<void> {
    refuseBrokenHeaders(message);
    const { signal: given, to, replyTo, ...rest } = message;
    // A server that trickles its replies stays below every timeout of the socket.
    const deadline = AbortSignal.timeout(timeouts.sendMs);
    const signal = given ? AbortSignal.any([given, deadline]) : deadline;
    const sending = transport.sendMail({
      ...rest,
      // As an object the address is taken as it is; as a string it would be parsed as a list.
      to: { name: '', address: to },
      ...(replyTo === undefined ? {} : { replyTo: { name: '', address: replyTo } }),
      signal,
    });
    underWay.add(sending);
    try {
      await sending;
    } catch (cause) {
      if (deadline.aborted) throw deferred(`The SMTP server did not finish within ${timeouts.sendMs} ms.`, cause);
      throw failureOf(cause);
    } finally {
      underWay.delete(sending);
    }
  }

  async function verify(): Promise<void> {
    try {
      await transport.verify();
    } catch (cause) {
      throw failureOf(cause);
    }
  }

  async function close({ graceMs = 5_000 } = {}): Promise<void> {
    transport.close();
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise((resolve) => {
      timer = setTimeout(resolve, graceMs);
    });
    await Promise.race([Promise.allSettled(underWay), patience]);
    clearTimeout(timer);
    transport.close({ force: true });
    await Promise.allSettled(underWay);
  }

  return { send, verify, close };
}

/** A line break in a header would begin another header: refused, not repaired, since someone meant it. */
function refuseBrokenHeaders(message: Message): void {
  const headers = { messageId: message.messageId, to: message.to, replyTo: message.replyTo, subject: message.subject };
  for (const [name, value] of Object.entries(headers)) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
    if (value !== undefined && /[\u0000-\u001f\u007f]/.test(value)) {
      throw refused(`The mail's ${name} holds a line break or another control character.`);
    }
  }
  for (const name of ['to', 'replyTo'] as const) {
    const address = message[name];
    if (address !== undefined && !/^[^\s@<>,;]+@[^\s@<>,;]+$/.test(address)) {
      throw refused(`The mail's ${name} is not one plain address.`);
    }
  }
}
