/**
 * The inbox of a laptop, in a process of its own: a real SMTP server, and its mail in the
 * browser. On loopback unless told otherwise: whoever reaches it reads every mail.
 *
 *   node apps/inbox/src/main.ts 1025 1080 .ballast/mail
 */
import { MailDev } from 'maildev';

const [smtp, web, mailDirectory, host = '127.0.0.1'] = process.argv.slice(2);
const inbox = new MailDev({
  smtp: Number(smtp),
  web: Number(web),
  ip: host,
  webIp: host,
  mailDirectory: mailDirectory ?? '',
  maxEmails: 1000,
  silent: true,
});
await inbox.start();

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, async () => {
    // A browser that shows the inbox holds its connection open for as long as it likes.
    setTimeout(() => process.exit(), 1000).unref();
    await inbox.stop();
    process.exit();
  });
}
