import { randomUUID } from 'node:crypto';
import { openRateLimiter } from '@ballast/cache/rate-limit';
import { type Database, doorsTo, openDatabase, sqlOf, withTenant, withUser } from '@ballast/db';
import {
  type Edge,
  type Env,
  type Identity,
  limitUse,
  type Membership,
  problemResponse,
  type Services,
} from '@ballast/http';
import { type RanJob, runDueJobs, slotComes } from '@ballast/jobs/testing';
import type { ConfigValues, Log, ScheduleDefinition } from '@ballast/kernel';
import { createTestDatabase } from '@ballast/test-kit/database';
import { type NameServer, openNameServer } from '@ballast/test-kit/name-server';
import { Hono } from 'hono';
import type { config } from '../config.ts';
import { internal } from '../internal.ts';
import { handler } from '../jobs/check-proofs.handler.ts';
import { routes } from '../routes.ts';

/** The module's routes and its job on a real Postgres and a DNS server of its own; `x-test-user` says who asks. */
export interface Suite {
  appDb: Database;
  /** As the superuser, for looking at every organisation's rows. */
  admin: Database;
  names: NameServer;
  settings: ConfigValues<typeof config>;
  /** A person with an organisation of their own. */
  person(role?: string): Promise<Person>;
  call(person: Person | null, method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** As if a slot of the schedule had come: runs its jobs. */
  slotOf(schedule: ScheduleDefinition): Promise<RanJob[]>;
  close(): Promise<void>;
}

export interface Person extends Identity {
  organizationId: string;
}

export interface CallOptions {
  body?: unknown;
  headers?: Record<string, string>;
}

export interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers of many shapes
  body: any;
}

export const publicUrl = 'https://app.ballast.example';
const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };

export async function openSuite(site = publicUrl): Promise<Suite> {
  const database = await createTestDatabase();
  const open = (url: string) => openDatabase({ url, applicationName: 'suite', maxConnections: 4 });
  const [appDb, jobsDb, admin] = [open(database.appUrl), open(database.dispatcherUrl), open(database.adminUrl)];
  const names = await openNameServer();
  const limiter = openRateLimiter({ redisUrl: null });
  const settings = {
    DOMAINS_RESOLVERS: [names.address],
    options: { maxDomains: 10, graceDays: 3, proofsPerHour: 1_000 },
  };
  // Its actions ask for neither mail nor identity; one that did would fail here.
  const services = { publicUrl: site, limiter, settings: () => settings as never } as unknown as Services;
  const people = new Map<string, Person>();
  const app = appOf(edgeOf(appDb, services, people));

  return {
    appDb,
    admin,
    names,
    settings,
    async person(role = 'owner') {
      const person = await addPerson(admin, role);
      people.set(person.userId, person);
      return person;
    },
    async call(person, method, path, { body, headers } = {}) {
      const response = await app.request(path, {
        method,
        headers: {
          ...(person ? { 'x-test-user': person.userId } : {}),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, body: text ? JSON.parse(text) : null };
    },
    async slotOf(schedule) {
      await slotComes(jobsDb, schedule);
      return runDueJobs({ db: appDb, jobsDb, jobs: [{ job: handler.job, load: async () => handler }], services });
    },
    async close() {
      names.close();
      await limiter.close();
      await Promise.all([appDb.close(), jobsDb.close(), admin.close()]);
      await database.drop();
    },
  };
}

async function addPerson(admin: Database, role: string): Promise<Person> {
  const person = {
    userId: randomUUID(),
    sessionId: randomUUID(),
    sessionEndsAt: new Date(Date.now() + 3_600_000),
    name: 'Ada Lovelace',
    email: `ada-${randomUUID()}@example.com`,
    organizationId: randomUUID(),
  };
  const { sql } = admin;
  await sql`insert into accounts."user" (id, name, email) values (${person.userId}, ${person.name}, ${person.email})`;
  await sql`insert into accounts.organization (id, name, slug, personal)
            values (${person.organizationId}, 'Own', ${person.organizationId}, true)`;
  await sql`insert into accounts.member (organization_id, user_id, role)
            values (${person.organizationId}, ${person.userId}, ${role})`;
  return person;
}

function edgeOf(appDb: Database, services: Services, people: ReadonlyMap<string, Person>): Edge {
  return {
    async identify(headers, wanted) {
      const person = people.get(headers.get('x-test-user') ?? '');
      if (!person) return null;
      const membership = await withUser(appDb, person.userId, async (tx) => {
        const found = await sqlOf(tx)<
          Membership[]
        >`select organization_id as "organizationId", role from accounts.member`;
        return found.find(({ organizationId }) => organizationId === (wanted ?? person.organizationId)) ?? null;
      });
      return { identity: person, membership };
    },
    limiter: services.limiter,
    open: ({ membership, identity, ...caller }) => {
      const scope = { tenantId: membership?.organizationId ?? null, userId: identity?.userId ?? null };
      return {
        ...caller,
        ...scope,
        identity,
        role: membership?.role ?? null,
        services,
        settings: services.settings,
        limit: (rule, key) => limitUse(services.limiter, rule, key),
        ...doorsTo(appDb, scope),
      };
    },
  };
}

function appOf(edge: Edge) {
  const app = new Hono<Env>();
  app.use(async (c, next) => {
    c.set('requestId', 'request-1');
    c.set('edge', edge);
    c.set('address', '127.0.0.1');
    c.set('signal', c.req.raw.signal);
    c.set('log', silent);
    await next();
  });
  app.onError((error) => problemResponse(error, 'request-1'));
  app.route('/', routes).route('/internal', internal);
  return app;
}

/** What a query sees that forgot its `where`. */
export function everythingSeenBy(suite: Suite, organizationId: string, query: string): Promise<unknown[]> {
  return withTenant(suite.appDb, organizationId, async (tx) => [...(await tx.execute(query))]);
}
