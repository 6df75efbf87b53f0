import type { Costs } from '@ballast/capacity/costs';
import type postgres from 'postgres';
import type { Stage } from '../jobs/stage.ts';
import { countStatements } from '../jobs/statements.ts';

/** What a piece of work took from Postgres and Redis besides processor time: counted at a cost, so never while timing. */
export async function countWork(
  stage: Stage,
  database: string,
  pieces: number,
  work: () => Promise<void>,
): Promise<Pick<Costs, 'postgresStatements' | 'walBytes' | 'redisCommands'>> {
  const statements = await countStatements(stage.admin, database);
  const before = await read(stage.admin, stage);
  await work();
  const after = await read(stage.admin, stage);
  const counted = await statements.stop();
  return {
    postgresStatements: counted.reduce((sum, { calls }) => sum + calls, 0) / pieces,
    walBytes: (after.walBytes - before.walBytes) / pieces,
    redisCommands: (after.commands - before.commands) / pieces,
  };
}

async function read(admin: postgres.Sql, stage: Stage) {
  const [wal] = await admin<{ bytes: number }[]>`select wal_bytes::float8 as bytes from pg_stat_wal`;
  const stats = await stage.redis.info('stats');
  return { walBytes: wal?.bytes ?? 0, commands: Number(/total_commands_processed:(\d+)/.exec(stats)?.[1] ?? 0) };
}
