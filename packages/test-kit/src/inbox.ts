/**
 * A mailbox for every address: a real SMTP server that keeps what it is sent, as people would read it.
 *
 * @example
 * const inbox = await openInbox();
 * const mail = openMail({ smtpUrl: inbox.url, from: 'Ballast <hello@example.com>' });
 * expect((await inbox.mailsTo('ada@example.com')).map(({ subject }) => subject)).toEqual(['Welcome']);
 * await inbox.close();
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { MailDev } from 'maildev';

export interface ReceivedMail {
  /** Whom it was handed over for, whatever its header says. */
  to: string[];
  subject: string;
  text: string;
  html: string;
  messageId: string;
  /** The whole of it, headers and all. */
  raw: string;
}

export interface Inbox {
  /** For `SMTP_URL`. */
  url: string;
  /** All that arrived, the oldest first. */
  mails(): Promise<ReceivedMail[]>;
  mailsTo(address: string): Promise<ReceivedMail[]>;
  close(): Promise<void>;
}

export async function openInbox(): Promise<Inbox> {
  const mailDirectory = await mkdtemp(join(tmpdir(), 'ballast-inbox-'));
  const maildev = new MailDev({ smtp: 0, ip: '127.0.0.1', disableWeb: true, mailDirectory, silent: true });
  const { smtp } = await maildev.start();
  type Email = Awaited<ReturnType<typeof smtp.getAllEmails>>[number];
  const read = async (mail: Email): Promise<ReceivedMail> => ({
    to: mail.envelope.to.map(({ address }) => address),
    subject: mail.subject ?? '',
    text: mail.text ?? '',
    html: typeof mail.html === 'string' ? mail.html : '',
    messageId: String(mail.headers?.['message-id'] ?? ''),
    raw: await text(await smtp.getRawEmail(mail.id)),
  });
  return {
    url: `smtp://127.0.0.1:${smtp.getPort()}`,
    mails: async () => Promise.all((await smtp.getAllEmails()).map(read)),
    async mailsTo(address) {
      const all = await smtp.getAllEmails();
      return Promise.all(all.filter(({ envelope }) => envelope.to.some((to) => to.address === address)).map(read));
    },
    async close() {
      await maildev.stop();
      await rm(mailDirectory, { recursive: true, force: true });
    },
  };
}
