import type { Database } from '@ballast/db';
import { type Answer, type Asked, ask } from '@ballast/http/testing';
import type { Log } from '@ballast/kernel';
import { openInbox, type ReceivedMail } from '@ballast/test-kit/inbox';
import { type Auth, openAuth } from '../auth/open-auth.ts';
import type { SigningKeys } from '../auth/signing-keys.ts';
import { module } from '../module.ts';
import { routes } from '../routes.ts';
import { type ModuleSuite, openModuleSuite, silent } from './module-suite.ts';

/**
 * The module itself, with a real SMTP server: people sign up, follow their links and carry cookies. Each request comes
 * from an address of its own unless it names one, so that limits only meet the tests of limits.
 */
export interface Suite extends Omit<ModuleSuite, 'call' | 'signedIn'> {
  auth: Auth;
  call(method: string, path: string, asked?: Asked & { cookie?: string }): Promise<AnswerWithCookie>;
  /** As a process that was started again with other keys. */
  restartWith(keys: SigningKeys): void;
  /** Mails that arrived for an address, the oldest first. */
  mailsTo(address: string): Promise<MailWithLink[]>;
  /** Signs up and redeems the link; returns the session's cookie. */
  signedUp(email?: string): Promise<Person>;
}

export interface Person {
  id: string;
  email: string;
  password: string;
  cookie: string;
}

export interface AnswerWithCookie extends Answer {
  /** The `Cookie` header that a browser would now send. */
  cookie: string;
}

export interface MailWithLink extends ReceivedMail {
  /** What stands after `token=` in the link. */
  token: string | null;
}

export const secret = 'a-secret-of-the-tests-that-is-long-enough';
export const password = 'correct horse battery';

let people = 0;
export const freshEmail = () => `person-${process.pid}-${++people}@example.com`;

export async function openSuite(options: { publicUrl?: string; log?: Log } = {}): Promise<Suite> {
  const { publicUrl = 'http://localhost:3000', log = silent } = options;
  const limits = { sessionDays: 30, verificationHours: 24, resetMinutes: 60, keepUnconfirmedDays: 30 };
  const authWith = (database: Database, keys: SigningKeys) =>
    openAuth({ database, ...keys, publicUrl, ...limits, log });
  const [inbox, handlers] = await Promise.all([openInbox(), Promise.all(module.jobs.map(handlerOf))]);
  const base = await openModuleSuite({
    routes,
    handlers,
    inbox,
    publicUrl,
    log,
    auth: (authDb) => authWith(authDb, { secret }),
  });

  const suite: Suite = {
    ...base,
    auth: base.services.auth as Auth,
    async call(method, path, { cookie, address = freshAddress(), headers, ...asked } = {}) {
      const sent = { 'user-agent': 'suite', ...(cookie ? { cookie } : {}), ...headers };
      const answer = await ask(base.app, method, path, { ...asked, address, headers: sent });
      return { ...answer, cookie: cookieAfter(cookie ?? '', answer.headers.getSetCookie()) };
    },
    restartWith(keys) {
      base.services.auth = authWith(base.authDb, keys);
    },
    async mailsTo(address) {
      const mails = await inbox.mailsTo(address);
      return mails.map((mail) => ({ ...mail, token: mail.text.match(/token=([\w.-]+)/)?.[1] ?? null }));
    },
    async signedUp(email = freshEmail()) {
      await suite.call('POST', '/sign-up', { body: { name: 'Ada Lovelace', email, password } });
      await suite.runJobs();
      const [mail] = await suite.mailsTo(email);
      const verified = await suite.call('POST', '/verify-email', { body: { token: mail?.token } });
      if (verified.status !== 200) throw new Error(`Not verified: ${JSON.stringify(verified.body)}`);
      await suite.runJobs();
      return { id: verified.body.user.id, email, password, cookie: verified.cookie };
    },
    async close() {
      await base.close();
      await inbox.close();
    },
  };
  return suite;
}

async function handlerOf(name: string) {
  return (await import(`../jobs/${name}.handler.ts`)).handler;
}

let addresses = 0;
const freshAddress = () => `10.${(++addresses >> 16) & 255}.${(addresses >> 8) & 255}.${addresses & 255}`;

function cookieAfter(before: string, set: readonly string[]): string {
  const jar = new Map(
    before
      .split('; ')
      .filter(Boolean)
      .map((pair) => pair.split('=', 2) as [string, string]),
  );
  for (const line of set) {
    const [pair = '', ...attributes] = line.split('; ');
    const [name = '', value = ''] = pair.split('=', 2);
    if (attributes.some((attribute) => /^max-age=0$/i.test(attribute))) jar.delete(name);
    else jar.set(name, value);
  }
  return [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
}
