/**
 * E-mail: a pool of SMTP connections, and the frame that every mail wears.
 *
 * A mail leaves the system at least once, never inside a transaction, and always
 * under the Message-ID of its job: a repeat carries the same id, so that a mail
 * server or a reader can tell it from a second mail.
 *
 * A failure is one of two: `mail.deferred` (the server is away, slow or busy: a
 * repeat can help) and `mail.refused` (it judged this mail: a repeat cannot).
 *
 * Templates are React; `./layout` has their frame and parts.
 *
 * @example
 * const mail = openMail({ smtpUrl: 'smtp://127.0.0.1:1025', from: 'Ballast <hello@example.com>' });
 * const services = { mail, publicUrl: 'https://example.com' };
 * await mailFromJob({ ctx, services }, { to: 'ada@example.com', subject: 'Welcome', body: <Welcome name="Ada" /> });
 * await mail.close();
 */
export { mailFromJob } from './mail-from-job.ts';
export { messageIdOf } from './message-id.ts';
export { type Mail, type MailOptions, type Message, openMail } from './open-mail.ts';
export { renderMail } from './render.ts';
