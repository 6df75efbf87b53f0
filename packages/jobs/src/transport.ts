/**
 * The queue that carries packs to workers: BullMQ, on Redis or on its own Postgres
 * backend. A pack is an id and nothing else; its rows lie in Postgres. BullMQ never
 * retries and retains nothing: outcomes are the rows' own.
 */
import { roles } from '@ballast/db/roles';
import type { Log } from '@ballast/kernel';
import {
  type ConnectionOptions,
  createPostgresBackend,
  createRedisBackend,
  type Job,
  type JobsOptions,
  type PostgresConnectionOptions,
  Queue,
  runMigrations,
} from 'bullmq';
import { Redis, type RedisOptions } from 'ioredis';
import pg from 'pg';
import { PackConsumer } from './pack-consumer.ts';
import { openRedis, redisAddress } from './redis-address.ts';

export interface Transport {
  readonly kind: 'redis' | 'postgres';
  /** Hands packs over. Rejects at once when the store is down, and then has added nothing. */
  add(queue: string, packIds: readonly string[]): Promise<void>;
  /** Runs `run` for each pack, `slots` at a time. */
  consume(queue: string, slots: number, run: (packId: string) => Promise<void>): Consumer;
  /** How many packs wait in the queue or run. */
  inFlight(queue: string): Promise<number>;
  /** Of these packs, the ones that the queue still holds: waiting, or taken by a worker under a live lock; or only those in one of the two states. */
  holds(queue: string, packIds: readonly string[], state?: 'waiting' | 'active'): Promise<Set<string>>;
  /** Takes packs out of the queue that a worker has taken, whatever it says: they fill nobody's slots any more. */
  drop(queue: string, packIds: readonly string[]): Promise<void>;
  /** The mark by which a store that lost its data is known; null where the packs share Postgres' own fate. */
  readonly epoch: { read(): Promise<string | null>; write(value: string): Promise<void> } | null;
  /** Whether the connection by which a wipe is known stands; null where the packs lie in Postgres. */
  connected(): boolean | null;
  /** Rejects when the store does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface Consumer {
  /** Takes no more packs; resolves when those under way have ended. */
  close(): Promise<void>;
  /** Lets go without waiting. */
  abandon(): Promise<void>;
}

export type TransportOptions = { redisUrl: string } | { postgresUrl: string };

const postgresSchema = 'bullmq';
/** Of the queue on Postgres, besides the one that each consumer listens on. */
const sharedConnections = 10;
/** 'Bull' in ASCII. */
const transportLockKey = 0x42756c6c;

/**
 * Lock settings that held: a killed worker's pack is noticed in 16–19 s, and a
 * blocked event loop of 10 s causes no false stall.
 */
const workerSettings = {
  lockDuration: 16_000,
  lockRenewTime: 5_000,
  stalledInterval: 5_000,
  maxStalledCount: 0,
  // After a connection that was refused. By default 15 s, which is as long as the way back may take as a whole.
  runRetryDelay: 1_000,
  removeOnComplete: { count: 0 },
  removeOnFail: { count: 0 },
};
/** Longer than any healthy answer, shorter than a person's patience. */
const answerTimeoutMs = 5_000;
const closeTimeoutMs = 1_000;
const askedAtOnce = 100;
/** BullMQ's word for one who ends a job without holding its lock. */
const withoutLock = '0';
/** What a link may stay silent under a command. A tick uses two links after each other, and both may have forgotten their other end. */
const silenceMs = 3_000;
/** The same for a consumer, whose healthy answer can be that nothing came for five seconds. */
const consumerSilenceMs = 7_000;

/** Opens the queue side. Nothing connects until it is used. */
export function openTransport(options: TransportOptions, log: Log): Transport {
  const backend = 'redisUrl' in options ? onRedis(options.redisUrl) : onPostgres(options.postgresUrl, log);
  const queues = new Map<string, PackQueue>();

  function queueNamed(name: string): PackQueue {
    const known = queues.get(name);
    if (known) return known;
    const queue = backend.openQueue(name, {
      defaultJobOptions: { attempts: 1, removeOnComplete: true, removeOnFail: true },
    });
    queue.on('error', (error) => log.debug({ queue: name, error: error.message }, 'queue connection'));
    queues.set(name, queue);
    return queue;
  }

  /** Each is a question of its own: many at once would take longer than a healthy answer may. */
  async function someAtATime(queue: string, packIds: readonly string[], ask: (packId: string) => Promise<void>) {
    for (let asked = 0; asked < packIds.length; asked += askedAtOnce) {
      const some = packIds.slice(asked, asked + askedAtOnce);
      await withinMs(answerTimeoutMs, Promise.all(some.map(ask)), `look into ${queue}`);
    }
  }

  return {
    kind: backend.kind,
    epoch: backend.epoch,
    connected: backend.connected,
    async add(queue, packIds) {
      const packs = packIds.map((packId) => ({ name: 'pack', data: { packId }, opts: { jobId: packId } }));
      await withinMs(answerTimeoutMs, queueNamed(queue).addBulk(packs), `add to ${queue}`);
    },
    consume(queue, slots, run) {
      const process = async (job: Job) => {
        // After a lost key BullMQ can hand over a job without data: there is no pack to run.
        const packId: unknown = job.data?.packId;
        if (typeof packId === 'string') await run(packId);
      };
      const worker = backend.openWorker(queue, process, { concurrency: slots, ...workerSettings });
      worker.on('error', (error) => log.warn({ queue, error: error.message }, 'consumer'));
      return { close: () => worker.close(), abandon: () => worker.close(true) };
    },
    inFlight: (queue) =>
      withinMs(answerTimeoutMs, queueNamed(queue).getJobCountByTypes('waiting', 'active'), `count ${queue}`),
    async holds(queue, packIds, wanted) {
      const held = new Set<string>();
      await someAtATime(queue, packIds, async (packId) => {
        const state = await queueNamed(queue).getJobState(packId);
        if (wanted ? state === wanted : !['unknown', 'failed', 'completed'].includes(state)) held.add(packId);
      });
      return held;
    },
    async drop(queue, packIds) {
      await someAtATime(queue, packIds, async (packId) => {
        const taken = await queueNamed(queue).getJob(packId);
        // It may have ended meanwhile, which is what was wanted.
        await taken?.moveToCompleted(null, withoutLock, false).catch((error: Error) => {
          log.debug({ queue, packId, error: error.message }, 'pack not dropped');
        });
      });
    },
    async ping() {
      await withinMs(answerTimeoutMs, queueNamed('default').getJobState('ping'), 'ping');
    },
    async close() {
      await Promise.all([...queues.values()].map((queue) => queue.close()));
      await backend.close();
    },
  };
}

type WorkerSettings = typeof workerSettings & { concurrency: number };

interface PackQueue {
  addBulk(packs: { name: string; data: { packId: string }; opts: { jobId: string } }[]): Promise<unknown>;
  getJob(packId: string): Promise<Pick<Job, 'moveToCompleted'> | undefined>;
  getJobState(packId: string): Promise<string>;
  getJobCountByTypes(...states: ('waiting' | 'active')[]): Promise<number>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  close(): Promise<void>;
}

interface PackWorker {
  on(event: 'error', listener: (error: Error) => void): unknown;
  close(force?: boolean): Promise<void>;
}

/** The two stores differ only in how they are reached. */
interface Backend {
  kind: Transport['kind'];
  epoch: Transport['epoch'];
  connected: Transport['connected'];
  openQueue(name: string, options: { defaultJobOptions: JobsOptions }): PackQueue;
  openWorker(name: string, process: (job: Job) => Promise<void>, options: WorkerSettings): PackWorker;
  close(): Promise<void>;
}

/**
 * A consumer works on one link and waits on another, which BullMQ duplicates from the
 * first and names. Only the one that waits has the right to a long silence: with one
 * patience for both, two forgotten links found one after the other took 17 s.
 */
class ConsumerLink extends Redis {
  override duplicate(override?: Partial<RedisOptions>): Redis {
    return super.duplicate({ ...override, socketTimeout: consumerSilenceMs });
  }
}

function onRedis(url: string): Backend {
  // BullMQ's own back-off grows: after a minute without Redis the first job took 18 s, with this 0.7 s.
  const always = { retryStrategy: () => 1_000 };
  // Without an offline queue, add rejects at once during an outage and adds nothing later.
  // A link that forgot its other end answers nothing and closes for a quarter of an hour: silence ends it (row 12).
  const producer = {
    ...always,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    enableAutoPipelining: true,
    socketTimeout: silenceMs,
  };
  const connection = { ...redisAddress(url), ...producer } as ConnectionOptions;
  // BullMQ closes what it duplicates; the links that it was given are ours to close.
  const links: Redis[] = [];
  const mark = openRedis(url, { ...producer, lazyConnect: true, enableOfflineQueue: true, maxRetriesPerRequest: 1 });
  mark.on('error', () => {});
  const epochKey = 'ballast:epoch';
  return {
    kind: 'redis',
    connected: () => mark.status === 'ready',
    epoch: {
      read: () => withinMs(answerTimeoutMs, mark.get(epochKey), 'read the epoch'),
      write: async (value) => {
        await withinMs(answerTimeoutMs, mark.set(epochKey, value), 'write the epoch');
      },
    },
    openQueue: (name, options) => new Queue(name, { ...options, connection }, createRedisBackend),
    openWorker: (name, process, options) => {
      const link = openRedis(
        url,
        { ...always, maxRetriesPerRequest: null, socketTimeout: silenceMs, lazyConnect: true },
        ConsumerLink,
      );
      links.push(link);
      return new PackConsumer(name, process, { ...options, connection: link }, createRedisBackend);
    },
    close: async () => {
      for (const link of [mark, ...links]) link.disconnect();
    },
  };
}

function onPostgres(url: string, log: Log): Backend {
  const pool = new pg.Pool({
    connectionString: url,
    max: sharedConnections,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    // As on Redis: a link that forgot its other end is left for another one. Here no query waits for a pack: that is announced.
    connectionTimeoutMillis: answerTimeoutMs,
    query_timeout: silenceMs,
    options: `-c search_path=${postgresSchema}`,
    application_name: 'ballast-transport',
  });
  // Each queue and each consumer listens too.
  pool.setMaxListeners(0);
  pool.on('error', (error) => log.debug({ error: error.message }, 'transport connection'));
  // BullMQ takes a pg.Pool; its structural type of one lacks the overloads that @types/pg declares.
  const connection = pool as unknown as PostgresConnectionOptions;
  return {
    kind: 'postgres',
    connected: () => null,
    epoch: null,
    openQueue: (name, options) => new Queue(name, { ...options, connection }, createPostgresBackend),
    openWorker(name, process, options) {
      // It takes one of the pool's for LISTEN, for as long as it lives: with a dozen queues none would be left.
      pool.options.max += 1;
      // A consumer whose announcements are lost looks by itself after this many seconds, by default five.
      // With the dispatcher's second before it, a job starts within two.
      return new PackConsumer(name, process, { ...options, connection, drainDelay: 0.5 }, createPostgresBackend);
    },
    // A consumer that is closed while it takes its connection (BullMQ 6.7) never gives it back, and the pool waits for that without end.
    close: () =>
      withinMs(closeTimeoutMs, pool.end(), 'close').catch((error: Error) =>
        log.debug({ error: error.message }, 'transport connections'),
      ),
  };
}

/** Creates or updates the tables of BullMQ's Postgres backend, as the owner, and lets the dispatcher's role use them. */
export async function migrateTransport(ownerUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    // Held until the connection ends: of several processes one at a time, or their grants collide.
    await client.query('select pg_advisory_lock($1)', [transportLockKey]);
    await runMigrations(client, postgresSchema);
    // create: BullMQ makes a sequence for each queue when the first pack is added.
    await client.query(`
      grant usage, create on schema ${postgresSchema} to ${roles.dispatcher};
      grant all on all tables in schema ${postgresSchema} to ${roles.dispatcher};
      grant execute on all functions in schema ${postgresSchema} to ${roles.dispatcher};`);
    // Not `on all sequences`: the queues' own belong to the dispatcher already, and the owner may not grant those.
    await client.query(`
      do $$ declare made regclass; begin
        for made in select oid::regclass from pg_class
          where relkind = 'S' and relnamespace = '${postgresSchema}'::regnamespace and relowner = current_user::regrole
        loop execute format('grant all on sequence %s to ${roles.dispatcher}', made); end loop;
      end $$`);
  } finally {
    await client.end();
  }
}

/** A store that hangs must not hang the dispatcher. A pack that is added after all finds its rows gone and is discarded. */
function withinMs<Result>(timeoutMs: number, work: Promise<Result>, what: string): Promise<Result> {
  let timer: NodeJS.Timeout;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: no answer within ${timeoutMs} ms`)), timeoutMs);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
