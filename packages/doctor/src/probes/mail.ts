import { openMail } from '@ballast/mail/open-mail';
import { inside, logs } from '../commands.ts';
import { finding } from '../finding.ts';
import type { Probe } from '../probe.ts';
import { NotUsed } from '../view.ts';

const stepMs = 5_000;

export const mail: Probe = {
  name: 'mail is taken',
  async look({ subject: { smtpUrl, consumes, place } }) {
    if (smtpUrl === null) throw new NotUsed('SMTP_URL is not known here');
    const timeouts = { connectMs: stepMs, greetingMs: stepMs, silenceMs: stepMs };
    const door = openMail({ smtpUrl, from: 'doctor@localhost', timeouts });
    try {
      await door.verify();
      return [];
    } catch (error) {
      const { internal, message } = error as { internal?: string; message: string };
      const said = internal ?? message;
      const host = new URL(smtpUrl).host;
      // On servers an API that sends no mail may not reach who takes it.
      if (!consumes && place !== 'laptop') {
        throw new Error(
          `this process sends no mail and may not reach ${host} (in the worker: ${inside(place, 'worker', 'doctor')})`,
        );
      }
      return [
        finding('mail.refused', {
          cause: `The SMTP server of SMTP_URL is away, hangs, or refuses us: mail waits in its jobs and is sent when it is back.`,
          evidence: [`${host}: ${said}`],
          fix: `Correct SMTP_URL, or ask whoever runs the server. See ${logs(place, 'worker')}`,
        }),
      ];
    } finally {
      void door.close({ graceMs: 0 });
    }
  },
};
