/** The embedded inbox, in a process of its own: a real SMTP server, and its mail in the browser. Loopback only. */
import { MailDev } from 'maildev';

const [smtp, web, mailDirectory] = process.argv.slice(2);
const inbox = new MailDev({
  smtp: Number(smtp),
  web: Number(web),
  ip: '127.0.0.1',
  webIp: '127.0.0.1',
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
