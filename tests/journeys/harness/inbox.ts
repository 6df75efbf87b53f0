import { setTimeout as sleep } from 'node:timers/promises';
import { inject } from 'vitest';

export interface Mail {
  id: string;
  subject: string;
  text: string;
  html: string;
  to: { address: string }[];
  headers: Record<string, string>;
}

/** All mail for an address, oldest first. */
export async function mailsTo(address: string): Promise<Mail[]> {
  const response = await fetch(`${inject('inboxUrl')}/api/email`);
  const mails = (await response.json()) as Mail[];
  return mails.filter((mail) => mail.to.some((to) => to.address === address));
}

/** Waits for the n-th mail to an address. */
export async function nthMail(address: string, n: number, timeoutMs = 60_000): Promise<Mail> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const mail = (await mailsTo(address))[n - 1];
    if (mail) return mail;
    if (Date.now() > deadline) throw new Error(`No mail number ${n} to ${address} within ${timeoutMs / 1000} s.`);
    await sleep(200);
  }
}

/** The link to a page of the app in a mail, as its text part gives it. */
export function linkIn(mail: Mail, path: string): string {
  const link = mail.text.match(new RegExp(`https?://\\S+${path}\\?token=[^\\s>)\\]]+`))?.[0];
  if (!link) throw new Error(`The mail "${mail.subject}" has no link to ${path}:\n${mail.text}`);
  return link;
}
