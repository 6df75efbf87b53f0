import type { Database } from '@ballast/db';
import { set } from '../commands.ts';
import { type Finding, finding } from '../finding.ts';
import type { Probe } from '../probe.ts';
import type { Subject } from '../subject.ts';
import { count, duration } from '../words.ts';

/** What is left then is gone with the next replica. */
const mostShare = 0.85;
/** A request that waits this long for a connection is told that the database is busy. */
const busySeconds = 2;

/** Postgres' own code. */
export const tooManyConnections = '53300';

interface Pool {
  name: string;
  address: string | null;
  sessions: number;
  longestSeconds: number;
}

export const connections: Probe = {
  name: 'connections are left',
  async look({ subject, db: open }) {
    const db = await open();
    try {
      return [...(await examineServer(db)), ...(await examinePools(db, subject))];
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      if (code !== tooManyConnections) throw error;
      // Doctor got the last one, and wanted another.
      return [serverFull(message)];
    }
  },
};

/** Also for whoever got no connection at all. */
export function serverFull(said: string): Finding {
  return finding('database.full', {
    cause: 'Postgres has no free connection left.',
    evidence: [said],
    fix: 'Lower DATABASE_POOL_SIZE or the number of replicas, or raise max_connections.',
  });
}

async function examineServer(db: Database): Promise<Finding[]> {
  // Of sessions of other roles little can be seen; that they are there can.
  const [row] = await db.sql<{ used: number; most: number }[]>`
    select (select count(*)::int from pg_stat_activity where usesysid is not null and datid is not null) as used,
           current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
           - current_setting('reserved_connections')::int as most`;
  if (!row || row.used <= row.most * mostShare) return [];
  return [
    finding('database.connections_low', {
      cause: 'Postgres has hardly a connection left: the next replica will not get any.',
      evidence: [`${row.used} of ${row.most} are in use`],
      fix: 'Lower DATABASE_POOL_SIZE or the number of replicas, raise max_connections, or let the API go through the pooler (docs/docker-scaling.md).',
    }),
  ];
}

/** Of one process; what an API has of them behind a pooler, all APIs share with it. */
interface MainPool {
  name: string;
  size: number;
  pooled: boolean;
  /** Besides ending what holds its connections. */
  more: string;
}

function mainPools({ poolSize, authPoolSize, place }: Subject): MainPool[] {
  const more = (service: 'api' | 'worker') => set(place, service, `DATABASE_POOL_SIZE above ${poolSize}`);
  return [
    { name: 'ballast-api', size: poolSize, pooled: true, more: more('api') },
    // Every request of somebody signed in needs it. No setting makes it larger: another replica brings one of its own.
    { name: 'ballast-api-auth', size: authPoolSize, pooled: true, more: 'more replicas of the API.' },
    { name: 'ballast-api-jobs', size: poolSize, pooled: false, more: more('api') },
    { name: 'ballast-worker', size: poolSize, pooled: false, more: more('worker') },
    { name: 'ballast-worker-jobs', size: poolSize, pooled: false, more: more('worker') },
  ];
}

/** The main pools, by process: a name and an address. */
async function examinePools(db: Database, subject: Subject): Promise<Finding[]> {
  // Sessions of all APIs together come from the pooler's address, and how many those are is the pooler's.
  const pools = mainPools(subject).filter(({ pooled }) => subject.poolerUrl === null || !pooled);
  // Another database of this server is another installation, whose login has the same name.
  const busy = await db.sql<Pool[]>`
    select application_name as name, host(client_addr) as address, count(*)::int as sessions,
           max(extract(epoch from now() - state_change))::float8 as "longestSeconds"
    from pg_stat_activity
    where datname = current_database() and usename = current_user and application_name in ${db.sql(pools.map(({ name }) => name))}
      and state <> 'idle' and state_change < now() - ${busySeconds} * interval '1 second'
    group by 1, 2`;
  return busy.flatMap(({ name, address, sessions, longestSeconds }) => {
    const pool = pools.find((each) => each.name === name);
    if (!pool || sessions < pool.size) return [];
    return finding('database.pool_exhausted', {
      cause: `Every connection of a pool is busy: requests are answered with 503 database.busy.`,
      evidence: [
        `${name}${address ? ` at ${address}` : ''}: ${count(sessions, 'connection')} busy for ${duration(longestSeconds)} or less, all that it may have`,
        'who holds them up: select pid, wait_event_type, pg_blocking_pids(pid), query from pg_stat_activity',
      ],
      fix: `End what is slow or blocked; ${pool.more}`,
    });
  });
}
