/** Does to a running system what the plan says. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Clock } from './clock.ts';
import type { Diary } from './diary.ts';
import { type Fleet, type Member, sessionsOf } from './fleet.ts';
import type { Disaster, PlannedDisaster } from './plan.ts';
import type { Recovery } from './recovery.ts';
import type { Stage } from './stage.ts';
import type { Order, Role, Told } from './worker-process.ts';

interface Scene {
  stage: Stage;
  fleet: Fleet;
  diary: Diary;
  recovery: Recovery;
  clock: Clock;
}

/** Plays the planned disasters at their times. Resolves when the last is over, with how often each came. */
export async function playDisasters(
  scene: Scene,
  planned: readonly PlannedDisaster[],
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const redis = openRedis(scene);
  const acts: Record<Disaster, (disaster: PlannedDisaster) => Promise<void>> = {
    'kill a worker': (disaster) => strike(scene.fleet, 'worker', disaster, 'SIGKILL'),
    'kill a dispatcher': (disaster) => strike(scene.fleet, 'dispatcher', disaster, 'SIGKILL'),
    'terminate a worker': (disaster) => strike(scene.fleet, 'worker', disaster, 'SIGTERM'),
    'freeze a worker': (disaster) => freeze(scene, disaster),
    'kill Redis': redis.kill,
    'flush Redis': redis.flush,
    'delete keys': redis.deleteKeys,
    'end sessions': async () => {
      // Not those of a frozen process: it would wake without a connection, and could do no harm.
      const frozen = scene.fleet.living().filter((member) => member.frozen);
      await scene.stage.admin.sql`
        select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name <> all(${frozen.map(({ number }) => sessionsOf(number))}::text[])
          and (application_name like 'soak-process-%' or application_name = 'ballast-transport')`;
      scene.diary.happened('sessions ended');
    },
  };
  const under: Promise<void>[] = [];
  for (const disaster of planned) {
    if (!(await scene.clock.until(disaster.atMs))) break;
    const over = acts[disaster.what](disaster).then(
      () => {
        counts[disaster.what] = (counts[disaster.what] ?? 0) + 1;
      },
      // On a machine that has no time for anybody the striker may be struck, too. It is not counted.
      (error: Error) => scene.diary.happened(`${disaster.what} failed: ${error.message}`),
    );
    under.push(over);
    // What lasts goes on beside the next; one that finds no victim yet holds the others up.
    await Promise.race([over, sleep(50)]);
  }
  await Promise.all(under);
  redis.close();
  return counts;
}

/** Its jobs have eight seconds to end; the rest is for a machine that is busy. */
const heedsWithinMs = 60_000;

async function strike(
  fleet: Fleet,
  role: Role,
  disaster: PlannedDisaster,
  signal: 'SIGKILL' | 'SIGTERM',
): Promise<void> {
  const victim = await chooseVictim(fleet, role, disaster);
  victim.fate = disaster.what;
  victim.child.kill(signal);
  // A worker that does not heed the signal is ended by its supervisor.
  setTimeout(() => {
    if (victim.child.exitCode !== null || victim.child.signalCode !== null) return;
    victim.fate = 'did not heed SIGTERM';
    victim.child.kill('SIGKILL');
  }, heedsWithinMs).unref();
  if (signal === 'SIGKILL') await victim.ended;
}

async function freeze({ fleet, diary }: Scene, disaster: PlannedDisaster): Promise<void> {
  const victim = await chooseVictim(fleet, 'worker', disaster);
  victim.frozen = true;
  // Every other one freezes by itself, at the beginning of a job: with something in hand for certain.
  if (disaster.victim % 2 === 0) {
    order(victim, 'freeze');
  } else victim.child.kill('SIGSTOP');
  diary.happened(`process ${victim.number} frozen for ${disaster.forMs} ms`);
  await sleep(disaster.forMs);
  await thaw(victim);
  victim.frozen = false;
}

/** Wakes it until it says that it is awake: one that freezes by itself may do so only after the first signal. */
async function thaw(victim: Member): Promise<void> {
  let asleep = true;
  const hear = (told: Told) => {
    if ('thawed' in told) asleep = false;
  };
  victim.child.on('message', hear);
  order(victim, 'thaw');
  while (asleep && victim.child.exitCode === null && victim.child.signalCode === null) {
    victim.child.kill('SIGCONT');
    await sleep(100);
  }
  victim.child.off('message', hear);
}

/** It may have been killed this moment. */
const order = (victim: Member, what: Order) => victim.child.send(what, () => {});

/** A started process is there within seconds, as long as somebody starts them. */
async function chooseVictim(fleet: Fleet, role: Role, { victim }: PlannedDisaster): Promise<Member> {
  for (let tries = 0; tries < 600; tries++) {
    const there = fleet.ready(role);
    const chosen = there[victim % Math.max(1, there.length)];
    if (chosen) return chosen;
    await sleep(100);
  }
  throw new Error(`For a minute there was no ${role} to strike.`);
}

function openRedis({ stage, diary, recovery }: Scene) {
  const server = stage.queue.redis;
  const client = server && new Redis(server.url, { retryStrategy: () => 200, maxRetriesPerRequest: null });
  client?.on('error', () => {});
  /** One after the other: a server cannot be killed while it starts. */
  let turn = Promise.resolve();
  const inTurn = (work: (victim: PlannedDisaster) => Promise<void>) => (victim: PlannedDisaster) => {
    const done = turn.then(() => work(victim));
    turn = done.catch(() => {});
    return done;
  };
  return {
    kill: inTurn(async ({ forMs }) => {
      process.kill(server?.pid() ?? 0, 'SIGKILL');
      await server?.restart(forMs);
      recovery.redisBack();
      diary.happened(`Redis killed, ${forMs} ms away`);
    }),
    flush: inTurn(async () => {
      await client?.flushall();
      diary.happened('Redis flushed');
    }),
    deleteKeys: inTurn(async ({ victim }) => {
      const keys = ((await client?.keys('bull:*')) ?? []).toSorted();
      // A third of what the queue has: lists, data of packs, locks, whatever it is.
      const chosen = keys.filter((_, at) => (at + victim) % 3 === 0);
      if (chosen.length > 0) await client?.del(chosen);
      diary.happened(`Redis: deleted ${chosen.join(', ')}`);
    }),
    close: () => client?.disconnect(),
  };
}
