import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openRateLimiter } from '@ballast/cache/rate-limit';
import { type Database, doorsTo, openDatabase } from '@ballast/db';
import { type Edge, type Env, problemResponse, type Services } from '@ballast/http';
import { pendingJobs, type RanJob, runDueJobs, slotComes } from '@ballast/jobs/testing';
import type { Log, ScheduleDefinition } from '@ballast/kernel';
import { openMail } from '@ballast/mail';
import { createTestDatabase } from '@ballast/test-kit/database';
import { Hono } from 'hono';
import { MailDev } from 'maildev';
import { authOf } from '../auth/account-action.ts';
import { type Auth, openAuth } from '../auth/open-auth.ts';
import type { SigningKeys } from '../auth/signing-keys.ts';
import { module } from '../module.ts';
import { routes } from '../routes.ts';

/**
 * The module's routes and jobs on a real Postgres and a real SMTP server, behind the
 * smallest edge that `endpoint()` needs. Each request comes from an address of its own
 * unless it names one, so that limits only meet the tests of limits.
 */
export interface Suite {
  authDb: Database;
  /** As the superuser, for looking at what no role of the app may see. */
  admin: Database;
  appDb: Database;
  auth: Auth;
  appUrl: string;
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** As a process that was started again with other keys. */
  restartWith(keys: SigningKeys): void;
  /** Runs due jobs, and returns how they ended. */
  runJobs(): Promise<RanJob[]>;
  /** As if a slot of the schedule had come: runs its job, and returns how the jobs ended. */
  slotOf(schedule: ScheduleDefinition): Promise<RanJob[]>;
  pendingJobs(): ReturnType<typeof pendingJobs>;
  /** Mails that arrived for an address, the oldest first. */
  mailsTo(address: string): Promise<ReceivedMail[]>;
  /** Signs up and redeems the link; returns the session's cookie. */
  signedUp(email?: string): Promise<Person>;
  close(): Promise<void>;
}

export interface Person {
  id: string;
  email: string;
  password: string;
  cookie: string;
}

export interface CallOptions {
  body?: unknown;
  cookie?: string;
  address?: string;
  headers?: Record<string, string>;
}

export interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers of many shapes
  body: any;
  headers: Headers;
  /** The `Cookie` header that a browser would now send. */
  cookie: string;
}

export interface ReceivedMail {
  subject: string;
  text: string;
  html: string;
  messageId: string;
  /** What stands after `token=` in the link. */
  token: string | null;
}

export const secret = 'a-secret-of-the-tests-that-is-long-enough';
export const password = 'correct horse battery';
const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };

let people = 0;
export const freshEmail = () => `person-${process.pid}-${++people}@example.com`;

export async function openSuite(options: { publicUrl?: string; log?: Log } = {}): Promise<Suite> {
  const publicUrl = options.publicUrl ?? 'http://localhost:3000';
  const log = options.log ?? silent;
  const database = await createTestDatabase();
  const open = (url: string, role?: string) =>
    openDatabase({ url, applicationName: 'suite', maxConnections: 5, ...(role ? { role } : {}) });
  const appDb = open(database.appUrl);
  const authDb = open(database.appUrl, 'ballast_auth');
  const jobsDb = open(database.dispatcherUrl);
  const admin = open(database.adminUrl);
  const limits = { sessionDays: 30, verificationHours: 24, resetMinutes: 60, keepUnconfirmedDays: 30 };
  const authWith = (keys: SigningKeys) => openAuth({ database: authDb, ...keys, publicUrl, ...limits, log });
  const auth = authWith({ secret });
  const inbox = await openInbox();
  const limiter = openRateLimiter({ redisUrl: null });
  const services: Services = {
    mail: openMail({ smtpUrl: `smtp://127.0.0.1:${inbox.port}`, from: 'Ballast <hello@example.com>' }),
    auth,
    publicUrl,
    limiter,
    settings: () => {
      throw new Error('The accounts module reads its options through `auth`.');
    },
  };
  const app = appOf(edgeOf(appDb, services), log);
  const jobs = await Promise.all(module.jobs.map(registered));

  const suite: Suite = {
    authDb,
    admin,
    appDb,
    auth,
    appUrl: database.appUrl,
    async call(method, path, { body, cookie, address, headers } = {}) {
      const response = await app.request(path, {
        method,
        headers: {
          'x-test-address': address ?? freshAddress(),
          'user-agent': 'suite',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(cookie ? { cookie } : {}),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      return {
        status: response.status,
        body: text ? JSON.parse(text) : null,
        headers: response.headers,
        cookie: cookieAfter(cookie ?? '', response.headers.getSetCookie()),
      };
    },
    restartWith(keys) {
      services.auth = authWith(keys);
    },
    runJobs: () => runDueJobs({ db: appDb, jobsDb, jobs, services, log }),
    async slotOf(schedule) {
      await slotComes(jobsDb, schedule);
      return suite.runJobs();
    },
    pendingJobs: () => pendingJobs(jobsDb),
    mailsTo: inbox.mailsTo,
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
      await services.mail.close();
      await inbox.close();
      await limiter.close();
      await Promise.all([appDb.close(), authDb.close(), jobsDb.close(), admin.close()]);
      await database.drop();
    },
  };
  return suite;
}

async function registered(name: string) {
  const { handler } = await import(`../jobs/${name}.handler.ts`);
  return { job: handler.job, load: async () => handler };
}

function edgeOf(appDb: Database, services: Services): Edge {
  return {
    identify: (headers, organizationId) => authOf({ services }).identify(headers, organizationId),
    limiter: services.limiter,
    open: ({ membership, identity, ...caller }) => ({
      ...caller,
      identity,
      role: membership?.role ?? null,
      tenantId: membership?.organizationId ?? null,
      userId: identity?.userId ?? null,
      services,
      settings: services.settings,
      limit: async () => {},
      ...doorsTo(appDb, { tenantId: membership?.organizationId ?? null, userId: identity?.userId ?? null }),
    }),
  };
}

function appOf(edge: Edge, log: Log) {
  const app = new Hono<Env>();
  app.use(async (c, next) => {
    c.set('requestId', 'request-1');
    c.set('edge', edge);
    c.set('address', c.req.header('x-test-address') ?? '127.0.0.1');
    c.set('signal', c.req.raw.signal);
    c.set('log', log);
    await next();
  });
  app.onError((error) => {
    const response = problemResponse(error, 'request-1');
    if (response.status >= 500) console.error(error);
    return response;
  });
  app.route('/', routes);
  return app;
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

async function openInbox() {
  const mailDirectory = await mkdtemp(join(tmpdir(), 'ballast-accounts-'));
  const maildev = new MailDev({ smtp: 0, ip: '127.0.0.1', disableWeb: true, mailDirectory, silent: true });
  const { smtp } = await maildev.start();
  return {
    port: smtp.getPort(),
    async mailsTo(address: string): Promise<ReceivedMail[]> {
      const all = await smtp.getAllEmails();
      return all
        .filter((mail) => mail.to?.some((to) => to.address === address))
        .map((mail) => ({
          subject: mail.subject ?? '',
          text: mail.text ?? '',
          html: typeof mail.html === 'string' ? mail.html : '',
          messageId: String(mail.headers?.['message-id'] ?? ''),
          token: mail.text?.match(/token=([\w.-]+)/)?.[1] ?? null,
        }));
    },
    async close() {
      await maildev.stop();
      await rm(mailDirectory, { recursive: true, force: true });
    },
  };
}
