/**
 * What the tests of a module begin with: its routes and jobs on a real Postgres, and people who are signed in, each with
 * an organisation of their own. For every module that names `accounts` under `dependsOn`.
 *
 * @example
 * const suite = await openModuleSuite({ routes, handlers: [handler], settings: { options: { shown: 20 } } });
 * const ada = await suite.signedIn();
 * expect(await suite.call(ada, 'POST', '/notes', { body: { text: 'Call Bob' } })).toMatchObject({ status: 201 });
 * expect(await suite.call(null, 'GET', '/notes')).toMatchObject({ status: 401 });
 * expect(await suite.runJobs()).toEqual([{ name: 'notes.remind', state: 'done', failure: null }]);
 * await suite.close();
 */
import { openRateLimiter } from '@ballast/cache/rate-limit';
import { type Database, withScope } from '@ballast/db';
import type { Edge, Env, Services } from '@ballast/http';
import { openRequestContext } from '@ballast/http/open-request-context';
import { type Answer, type Asked, ask, behindSmallestEdge, type Routes } from '@ballast/http/testing';
import { pendingJobs, type RanJob, type RunDueOptions, runDueJobs, slotComes } from '@ballast/jobs/testing';
import type { Log, ScheduleDefinition } from '@ballast/kernel';
import { type Mail, openMail } from '@ballast/mail';
import type { TestDatabase } from '@ballast/test-kit/database';
import type { Inbox } from '@ballast/test-kit/inbox';
import { openPatiently, openTestPools } from '@ballast/test-kit/pools';
import type { Hono } from 'hono';
import { identify } from '../auth/identify.ts';
import type { Auth } from '../auth/open-auth.ts';
import { addSignedIn, type Role, type SignedIn } from './signed-in.ts';

export type { SignedIn } from './signed-in.ts';

type Handler = Awaited<ReturnType<RunDueOptions<Services>['jobs'][number]['load']>>;

export interface ModuleUnderTest {
  routes: Routes;
  /** Of its jobs, those that `runJobs` and `slotOf` are to run. */
  handlers?: readonly Handler[];
  /** What `settings(config)` hands its actions and handlers: this very object, so that a test may change it and change it back. */
  settings?: object;
  /** Where its mail goes. Without one it can send none. The suite does not close it. */
  inbox?: Inbox;
  publicUrl?: string;
  log?: Log;
  /** For accounts, which signs people in itself: their cookies say who asks. */
  auth?(authDb: Database): Auth;
}

export interface ModuleSuite {
  database: TestDatabase;
  /** As the app's role, which row-level security holds. */
  appDb: Database;
  /** As the role that alone reaches the identity tables. */
  authDb: Database;
  /** As the superuser, for looking at every organisation's rows. */
  admin: Database;
  services: Services;
  /** For what `call` does not tell, such as headers: `ask(suite.app, 'GET', '/')`. */
  app: Hono<Env>;
  /** Someone new, with an organisation of their own and this role in it. */
  signedIn(role?: Role): Promise<SignedIn>;
  /** Asks as this person, or as a stranger. */
  call(person: SignedIn | null, method: string, path: string, asked?: Asked): Promise<Omit<Answer, 'headers'>>;
  /** What a query sees and changes in a person's organisation, or in none, that forgot its `where`. */
  sqlAs(person: SignedIn | null, query: string): Promise<Record<string, unknown>[]>;
  /** Runs due jobs until none is left, and tells how they ended. */
  runJobs(): Promise<RanJob[]>;
  /** As if a slot of the schedule had come: adds its job, and runs what is due. */
  slotOf(schedule: ScheduleDefinition): Promise<RanJob[]>;
  /** The jobs that wait. */
  pendingJobs(): ReturnType<typeof pendingJobs>;
  close(): Promise<void>;
}

const sessionHeader = 'x-test-session';
/** For a server that hangs. One on a machine that stands still answers when the machine goes on. */
const timeouts = { connectMs: 60_000, greetingMs: 60_000, silenceMs: 60_000, sendMs: 120_000 };
export const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };

export async function openModuleSuite(module: ModuleUnderTest): Promise<ModuleSuite> {
  const { log = silent, handlers = [] } = module;
  const { database, db: appDb, jobsDb, close: closePools } = await openTestPools();
  const applicationName = 'suite';
  const authDb = openPatiently({ url: database.appUrl, applicationName, role: 'ballast_auth' });
  const admin = openPatiently({ url: database.adminUrl, applicationName });
  const services: Services = {
    mail: module.inbox
      ? openMail({ smtpUrl: module.inbox.url, from: 'Ballast <hello@example.com>', timeouts })
      : noMail,
    auth: module.auth?.(authDb) ?? null,
    publicUrl: module.publicUrl ?? 'https://app.example.com',
    limiter: openRateLimiter({ redisUrl: null }),
    settings: () => (module.settings ?? refuse('settings')) as never,
  };
  const edge: Edge = {
    identify: (headers, organizationId) => {
      // Read anew each time: accounts tests what a process does that was started again with other keys.
      const auth = services.auth as Auth | null;
      if (auth) return auth.identify(headers, organizationId);
      return identify(authDb, headers.get(sessionHeader), organizationId);
    },
    limiter: services.limiter,
    open: (caller) => openRequestContext(appDb, services, caller),
  };
  const app = behindSmallestEdge(module.routes, edge, log);
  const jobs = handlers.map((handler) => ({ job: handler.job, load: async () => handler }));
  const runJobs = () => runDueJobs({ db: appDb, jobsDb, jobs, services, log });

  return {
    database,
    appDb,
    authDb,
    admin,
    services,
    app,
    signedIn: (role = 'owner') => addSignedIn(admin, role),
    async call(person, method, path, asked = {}) {
      const session = person ? { [sessionHeader]: person.token } : {};
      const { status, body } = await ask(app, method, path, { ...asked, headers: { ...session, ...asked.headers } });
      return { status, body };
    },
    sqlAs: (person, query) =>
      withScope(appDb, { tenantId: person?.organizationId ?? null }, async (tx) => [...(await tx.execute(query))]),
    runJobs,
    async slotOf(schedule) {
      await slotComes(jobsDb, schedule);
      return runJobs();
    },
    pendingJobs: () => pendingJobs(jobsDb),
    async close() {
      await services.mail.close();
      await services.limiter.close();
      await Promise.all([authDb.close(), admin.close()]);
      await closePools();
    },
  };
}

function refuse(what: 'settings' | 'inbox'): never {
  throw new Error(`The module asks for what its suite was not given: openModuleSuite({ …, ${what} }).`);
}

/** A mail to a server that nobody started would be deferred, and the test that waits for it would not say why. */
const noMail: Mail = { send: async () => refuse('inbox'), verify: async () => refuse('inbox'), close: async () => {} };
