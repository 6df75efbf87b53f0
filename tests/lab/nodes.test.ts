import { setTimeout as sleep } from 'node:timers/promises';
import { startStopwatch } from '@ballast/test-kit/stopwatch';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openJobs } from './harness/jobs-load.ts';
import { type Nodes, startNodes } from './harness/nodes.ts';
import { settle } from './harness/production.ts';
import { compose, eventually } from './harness/stack.ts';
import { type Swarm, startSwarm } from './harness/swarm.ts';
import { visit } from './harness/visit.ts';

/** From the loss on, the time after which every request is answered again within five seconds: 3 s when nothing else ran. */
const boundMs = 30_000;
/** Of 250 requests, four a second: those that a lost replica was given before it was known to be lost. Two and three were seen. */
const mostLate = 20;
/** A dead worker's jobs are run by others within a minute, and those of the last seconds right after. */
const watchedMs = 60_000;

const program = process.env.BALLAST_LAB_NODES ?? '';
if (!program)
  console.warn('SKIPPED: several engines on one machine need a program that starts them, named by BALLAST_LAB_NODES.');

let nodes: Nodes;
let swarm: Swarm;
let cookie: string;

describe.skipIf(!program)('a Swarm of three nodes', () => {
  beforeAll(async () => {
    const base = inject('stack');
    await compose(base, ['build', 'caddy']);
    const own = ['api', 'web', 'caddy', 'inbox'].map((image) => `ballast/${image}:${base.env.BALLAST_VERSION}`);
    nodes = await startNodes(program, [...own, 'postgres:18', 'redis:8']);
    swarm = await startSwarm(base, {
      engine: nodes.engine,
      address: nodes.addressOf(1),
      ports: [80, 443, 1080],
      files: ['tests/lab/compose.nodes.yml'],
      replicas: 3,
    });
    cookie = await settle(swarm);
  }, 400_000);
  // With its nodes goes the stack.
  afterAll(() => nodes?.end());

  test('loses the one with the queue and a replica of everything', async () => {
    for (const service of ['api', 'worker', 'web', 'caddy']) {
      expect((await nodesOf(service)).sort(), service).toEqual(['node1', 'node2', 'node3']);
    }
    const jobs = await openJobs(swarm, cookie);
    const feed = jobs.feed(3);
    const asked = startAsking();
    await sleep(3000);

    const [victim = ''] = await nodesOf('redis-queue');
    expect(victim).not.toBe('node1');
    const [lost = ''] = await swarm.query('select clock_timestamp()');
    // Cable and power go within the call, and on a busy machine that takes seconds.
    const losingAt = performance.now();
    await nodes.lose(Number(victim.replace('node', '')));
    const lostAt = performance.now();
    await sleep(watchedMs);
    await eventually('a hundred jobs were asked for', async () => feed.added() > 100, 240_000);
    const answers = await asked.stop();
    await feed.stop();

    const late = answers.filter(({ ok, tookMs }) => !ok || tookMs > 5_000);
    expect(late.filter(({ at }) => at < losingAt - 1_000)).toEqual([]);
    const hurt = Math.max(0, ...late.map(({ at }) => at - lostAt));
    console.info(JSON.stringify({ asked: answers.length, late: late.length, lastLateAfterMs: Math.round(hurt) }));
    expect(hurt).toBeLessThan(boundMs);
    expect(late.length).toBeLessThanOrEqual(mostLate);

    // What the lost worker held is run by others, the queue is on a living node, and each effect is there once.
    expect(await open(lost)).toBe('0');
    await eventually('all jobs done', async () => (await open()) === '0', 30_000);
    console.info(JSON.stringify({ allDoneAfterMs: Math.round(performance.now() - lostAt) }));
    expect(await nodesOf('redis-queue')).not.toContain(victim);
    const [requests] = await swarm.query(
      `select count(*) || ' ' || count(*) filter (where state = 'delivered') from support.request`,
    );
    const [all, delivered] = (requests ?? '').split(' ');
    expect(delivered).toBe(all);
    expect(await swarm.query(`select distinct state from jobs.status`)).toEqual(['done']);
    const mails = (await swarm.mails()).filter(({ subject }) => subject.startsWith('Support: '));
    expect(new Set(mails.map(({ subject }) => subject)).size).toBe(Number(all));
    // Mail is sent at least once: one that the lost worker sent and could not record comes again, and is known by its id.
    expect(new Set(mails.map(({ headers }) => headers['message-id'])).size).toBe(Number(all));
  }, 400_000);
});

/** How many jobs are not done, of those that were asked for until then. */
const open = async (until = 'infinity') =>
  (
    await swarm.query(
      `select count(*) from jobs.status where state <> 'done' and uuid_extract_timestamp(id) <= '${until}'`,
    )
  )[0];

/** On which nodes a service runs, as far as the Swarm knows. */
async function nodesOf(service: string): Promise<string[]> {
  const name = `${swarm.name}_${service}`;
  const { stdout } = await swarm.on([
    ...['service', 'ps', '--filter', 'desired-state=running', '--format', '{{.Node}} {{.CurrentState}}', name],
  ]);
  return stdout.split('\n').flatMap((line) => (line.includes(' Running ') ? [line.split(' ')[0] as string] : []));
}

/**
 * One request after another, four a second, whether the former are answered or not. The time in which this process itself
 * was not run is nobody's answer, and not counted.
 */
function startAsking(): { stop(): Promise<{ at: number; ok: boolean; tookMs: number }[]> } {
  const underWay: Promise<{ at: number; ok: boolean; tookMs: number }>[] = [];
  const timer = setInterval(() => {
    const at = performance.now();
    const watch = startStopwatch();
    const path = underWay.length % 4 === 0 ? '/sign-in' : '/api/accounts/me';
    underWay.push(
      visit(swarm.site, path, { headers: { cookie } }).then(
        ({ status }) => ({ at, ok: status < 400, tookMs: watch.stop() }),
        () => ({ at, ok: false, tookMs: watch.stop() }),
      ),
    );
  }, 250);
  return {
    stop() {
      clearInterval(timer);
      return Promise.all(underWay);
    },
  };
}
