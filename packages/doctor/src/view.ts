import type { Database } from '@ballast/db';
import { silentAfterMs } from '@ballast/jobs/fleet';
import type { Redis } from 'ioredis';
import { Away } from './stores/away.ts';
import { openPostgres, type SeenDatabase } from './stores/postgres.ts';
import { openRedis } from './stores/redis.ts';
import type { Subject } from './subject.ts';

/** What a probe sees: the subject, and its stores through connections that all probes share. */
export interface View {
  subject: Subject;
  /** Rejects with `Away` when Postgres cannot be asked. */
  database(): Promise<SeenDatabase>;
  db(): Promise<Database>;
  /** The same database by the way of requests. Rejects with `Away`; with `NotUsed` when there is no pooler. */
  pooler(): Promise<SeenDatabase>;
  /** Rejects with `Away`; with `NotUsed` when there is none. */
  queue(): Promise<Redis>;
  cache(): Promise<Redis>;
  /** The processes that take jobs, those that fell silent lately included. */
  fleet(): Promise<Member[]>;
}

/** There is nothing to look at, and nothing wrong about that. */
export class NotUsed extends Error {
  override readonly name = 'NotUsed';
}

export interface Member {
  id: string;
  role: string;
  release: string;
  host: string;
  slots: Record<string, number>;
  knows: string[];
  packs: number;
  startedSecondsAgo: number;
  /** Since its last beat, by Postgres' clock. */
  silentSeconds: number;
  alive: boolean;
}

export function openView(subject: Subject): { view: View; close: () => void } {
  const postgres = subject.databaseUrl ? openPostgres(subject.databaseUrl) : null;
  const pooled = subject.poolerUrl ? openPostgres(subject.poolerUrl, { pooled: true }) : null;
  const queue = subject.queueUrl ? openRedis(subject.queueUrl, 'the queue') : null;
  const cache = subject.cacheUrl ? openRedis(subject.cacheUrl, 'the cache') : null;
  let fleet: Promise<Member[]> | null = null;
  const database = () =>
    postgres ? postgres.seen() : Promise.reject(new Away('Postgres', 'UNSET', 'DATABASE_URL is not known here'));
  const view: View = {
    subject,
    database,
    pooler: () => pooled?.seen() ?? Promise.reject(new NotUsed('there is no pooler')),
    db: async () => (await database()).db,
    queue: () => queue?.seen() ?? Promise.reject(new NotUsed('the queue is in Postgres')),
    cache: () => cache?.seen() ?? Promise.reject(new NotUsed('there is no cache')),
    fleet: () => {
      fleet ??= view.db().then(readFleet);
      return fleet;
    },
  };
  const close = () => {
    for (const store of [postgres, pooled, queue, cache]) store?.close();
  };
  return { view, close };
}

async function readFleet(db: Database): Promise<Member[]> {
  const members = await db.sql<Omit<Member, 'alive'>[]>`
    select id, role, release, host, slots, knows, packs,
           extract(epoch from now() - started_at)::float8 as "startedSecondsAgo",
           extract(epoch from now() - beat_at)::float8 as "silentSeconds"
    from jobs.fleet where beat_at > now() - interval '1 day' order by beat_at desc limit 200`;
  return members.map((member) => ({ ...member, alive: member.silentSeconds * 1_000 < silentAfterMs }));
}
