/**
 * Postgres dies before it has written down a claim, the one commit that nobody waits for
 * (docs/decisions/0029). Its WAL writer is stopped, so that nothing but a commit that waits
 * brings the log to disk; then every process of it is killed. What a crash takes is what
 * was committed last: rows are never in two places, and nothing ran for which the log has no claim.
 */
import type { ChildProcess } from 'node:child_process';
import { isDeepStrictEqual } from 'node:util';
import { startDispatcher } from '@ballast/jobs/dispatch';
import { misplacedJobs } from '@ballast/jobs/testing';
import type { Transport } from '@ballast/jobs/transport';
import { createTestDatabase } from '@ballast/test-kit/database';
import { startPostgres, type TestServer } from '@ballast/test-kit/embedded-postgres';
import { queueBackends, silentLog } from '@ballast/test-kit/queue';
import { createTemplate } from '@ballast/test-kit/template';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Backend, exited, goalMs, on, type Stage } from './stage.ts';

/** Nobody else is to commit, or to write pages, for which the log would have to be on disk first. */
const quiet = ['autovacuum=off', 'bgwriter_lru_maxpages=0', 'checkpoint_timeout=1h', 'wal_writer_delay=10s'];
/** An announcement wakes the dispatcher, and nothing else: its producer's commits are on disk by then. */
const pollEveryMs = 600_000;

let server: TestServer;
let template: string;

beforeAll(async () => {
  server = await startPostgres(quiet);
  template = await createTemplate(server.adminUrl);
});
afterAll(() => server.stop());

/** A play on the server of this suite, whose WAL writer goes on at its end, or the server could not stop. */
const play = (backend: Backend, steps: (stage: Stage) => Promise<void>) =>
  on(
    backend,
    async (stage) => {
      try {
        await steps(stage);
      } finally {
        await signalWalWriter(stage, 'SIGCONT');
      }
    },
    [],
    createTestDatabase({ on: { server: server.adminUrl, template } }),
  );

async function signalWalWriter({ admin }: Stage, signal: NodeJS.Signals): Promise<void> {
  const [writer] = await admin.sql<{ pid: number }[]>`
    select pid from pg_stat_activity where backend_type = 'walwriter'`;
  process.kill(writer?.pid ?? 0, signal);
}

/**
 * What the sessions of a worker that is stopped are at: `idle` when it stopped between two transactions, `waiting` when they
 * wait for more of it, as in a transaction, and `working` as long as Postgres has something of theirs to do.
 */
async function sessionsAre({ admin }: Stage): Promise<'idle' | 'waiting' | 'working'> {
  const sessions = async () => {
    const rows = await admin.sql<{ pid: number; state: string; waits: string | null; since: string }[]>`
      select pid, state, wait_event as waits, state_change::text as since from pg_stat_activity
      where datname = current_database() and application_name in ('fault-worker', 'ballast-transport') order by pid`;
    return [...rows];
  };
  const stopped = await sessions();
  // What it sent just before may wait for a session that has not come to run yet.
  await new Promise((later) => setTimeout(later, 300));
  const settled = await sessions();
  if (!isDeepStrictEqual(stopped, settled) || settled.some(({ waits }) => waits !== 'ClientRead')) return 'working';
  return settled.every(({ state }) => state === 'idle') ? 'idle' : 'waiting';
}

/** Stops a worker between two of its statements. Its slots count on, however long the play takes on a busy machine. */
async function freezeAtRest(stage: Stage, worker: ChildProcess): Promise<void> {
  await vi.waitFor(
    async () => {
      worker.kill('SIGSTOP');
      if ((await sessionsAre(stage)) === 'idle') return;
      worker.kill('SIGCONT');
      throw new Error('The worker is in the middle of a statement.');
    },
    { timeout: goalMs, interval: 100 },
  );
  await stage.admin.sql`update jobs.process set beat_at = now() + interval '10 minutes'`;
}

interface Places {
  due: number;
  packs: { id: string; opened: boolean }[];
}

async function places({ jobsDb }: Stage): Promise<Places> {
  // In one look: between two of them a job may move.
  const [found] = await jobsDb.sql<Places[]>`
    select (select count(*)::int from jobs.due) as due,
           coalesce((select jsonb_agg(jsonb_build_object('id', id, 'opened', runner_id is not null) order by id) from jobs.pack), '[]') as packs`;
  if (!found) throw new Error('Postgres says nothing.');
  return found;
}

/** What Postgres knows once it is back, and that every job is in one place. */
async function placesAfterCrash(stage: Stage): Promise<Places> {
  await server.crash();
  const found = await vi.waitFor(() => places(stage), { timeout: goalMs, interval: 50 });
  expect(await misplacedJobs(stage.jobsDb)).toEqual([]);
  return found;
}

/** A dispatcher of the test's own, which writes nothing but its claims; resolves when it listens, has looked, and waits. */
async function openDispatcher(stage: Stage, transport: Transport, add = transport.add) {
  let announcedRounds = 0;
  const inFlight = async (queue: string) => {
    const packs = await transport.inFlight(queue);
    announcedRounds += 1;
    return packs;
  };
  const dispatcher = startDispatcher({
    db: stage.jobsDb,
    transport: { ...transport, add, inFlight },
    log: silentLog,
    pollEveryMs,
  });
  // It wakes itself when it begins to listen. A round that finds nothing asks this only when it was woken.
  await vi.waitFor(() => expect(announcedRounds).toBeGreaterThan(0), { timeout: goalMs, interval: 20 });
  return dispatcher;
}

describe('Postgres is killed', { timeout: 3 * goalMs }, () => {
  if (queueBackends.includes('redis'))
    test.each([3, 20])(
      'before a claim is on disk, and the queue has its packs: they are refused, and the jobs run once (%i jobs)',
      (jobs) =>
        play('redis', async (stage) => {
          const transport = stage.queue.open();
          const living = await stage.worker();
          await vi.waitFor(async () => expect(await transport.epoch?.read()).toBeTruthy(), { timeout: goalMs });
          await freezeAtRest(stage, living);
          const dispatcher = await openDispatcher(stage, transport);
          await signalWalWriter(stage, 'SIGSTOP');
          await stage.produce(jobs);
          const handedOut = async () => {
            const ids = (await places(stage)).packs.map(({ id }) => id);
            expect(ids).toHaveLength(Math.min(jobs, 8));
            expect((await transport.holds('default', ids)).size).toBe(ids.length);
            return ids;
          };
          const ids = await vi.waitFor(handedOut, { timeout: goalMs, interval: 20 });
          // It has nothing more to write, and once Postgres is back it would claim them again before anybody has looked.
          await dispatcher.close();

          // The claim was committed, others saw it, its packs are in Redis: and Postgres has forgotten it.
          expect(await placesAfterCrash(stage)).toEqual({ due: jobs, packs: [] });
          expect((await transport.holds('default', ids)).size).toBe(ids.length);
          living.kill('SIGKILL');
          await stage.worker();
          await vi.waitFor(async () => expect((await transport.holds('default', ids)).size).toBe(0), {
            timeout: goalMs,
          });
          await stage.allDoneOnce(jobs);
          await stage.startedOnce();
          await transport.close();
        }),
    );

  describe.each(queueBackends)('under workers on %s', (backend) => {
    test('before a claim is on disk, and before its packs are added: the jobs wait, and run once', () =>
      play(backend, async (stage) => {
        const transport = stage.queue.open();
        const living = await stage.worker();
        if (transport.epoch)
          await vi.waitFor(async () => expect(await transport.epoch?.read()).toBeTruthy(), { timeout: goalMs });
        await freezeAtRest(stage, living);
        const adding = Promise.withResolvers<void>();
        const dispatcher = await openDispatcher(stage, transport, () => adding.promise);
        await signalWalWriter(stage, 'SIGSTOP');
        await stage.produce(3);
        await vi.waitFor(async () => expect((await places(stage)).packs).toHaveLength(3), {
          timeout: goalMs,
          interval: 20,
        });

        expect(await placesAfterCrash(stage)).toEqual({ due: 3, packs: [] });
        // It takes back what it could not add, and finds nothing of it.
        adding.reject(new Error('The queue did not answer.'));
        await dispatcher.close();
        expect(await places(stage)).toEqual({ due: 3, packs: [] });
        living.kill('SIGKILL');
        await exited(living);
        await stage.worker();
        await stage.allDoneOnce(3);
        await stage.startedOnce();
        await transport.close();
      }));

    test('after a worker has opened a pack: the claim before it in the log is on disk too, and the jobs run once', () =>
      play(backend, async (stage) => {
        let said = '';
        const worker = await stage.worker({ BALLAST_FAILPOINTS: 'run.started=freeze@1' }, (line) => {
          said += line;
        });
        await signalWalWriter(stage, 'SIGSTOP');
        await stage.produce(3);
        await vi.waitFor(() => expect(said).toContain('failpoint run.started: freeze'), { timeout: goalMs });
        // What it had sent when it froze may still be on its way to the disk.
        await vi.waitFor(async () => expect(await sessionsAre(stage)).not.toBe('working'), {
          timeout: goalMs,
          interval: 100,
        });
        const before = await places(stage);
        expect(before.packs.some(({ opened }) => opened)).toBe(true);

        expect(await placesAfterCrash(stage)).toEqual(before);
        worker.kill('SIGCONT');
        await stage.allDoneOnce(3);
      }));
  });
});
