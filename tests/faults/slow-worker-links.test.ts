/**
 * Latency, stalls and resets between a worker and everything that it needs, all at once: row 25
 * of the fault table. Nothing is lost or doubled, no job is charged for a slow network, and the
 * links are not opened anew without end.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { queueBackends } from '@ballast/test-kit/queue';
import { startSmtpSink } from '@ballast/test-kit/smtp-sink';
import { openTcpProxy } from '@ballast/test-kit/tcp-proxy';
import { describe, expect, test, vi } from 'vitest';
import { consumingWithinMs, goalMs, on, type Stage, someDone, untilMoreDone } from './stage.ts';

const total = (numbers: number[]) => numbers.reduce((sum, number) => sum + number, 0);

/** A worker whose links all pass through proxies of the test. */
async function startBehindLinks(stage: Stage, environment: Record<string, string> = {}) {
  const app = await openTcpProxy(stage.database.appUrl);
  const dispatcher = await openTcpProxy(stage.database.dispatcherUrl);
  const queue = stage.queue.redis ? [await openTcpProxy(stage.queue.redis.url)] : [];
  const links = [app, dispatcher, ...queue];
  const worker = await stage.worker({
    APP_URL: app.url,
    DISPATCHER_URL: dispatcher.url,
    ...Object.fromEntries(queue.map(({ url }) => ['REDIS_QUEUE_URL', url])),
    ...environment,
  });
  return {
    worker,
    each: (hurt: (link: (typeof links)[number]) => void) => links.forEach(hurt),
    reset: () => total(links.map((link) => link.reset())),
    freeze: () => total(links.map((link) => link.freeze())),
    standing: () => total(links.map((link) => link.standing())),
    accepted: () => total(links.map((link) => link.accepted())),
    stop: () => Promise.all(links.map((link) => link.stop())),
    start: () => Promise.all(links.map((link) => link.start())),
    close: () => Promise.all(links.map((link) => link.close())),
  };
}

/** The same, with 60 jobs that wait and run when the blow comes. */
async function startUnderWay(stage: Stage) {
  const links = await startBehindLinks(stage, { BALLAST_FAILPOINTS: 'run.started=pause:200' });
  await stage.produce(60);
  await someDone(stage, 4);
  return links;
}

describe.concurrent.each(queueBackends)('the links of a worker on %s', { timeout: 5 * goalMs }, (backend) => {
  test('of 300 ms in each direction slow it down, and each job is started once (row 25)', () =>
    on(backend, async (stage) => {
      const links = await startBehindLinks(stage);
      await stage.produce(4);
      await stage.allDoneOnce(4);
      const before = links.accepted();
      links.each((link) => link.delay(300));
      // Each takes some four seconds, and four run at once.
      await stage.produce(20, { from: 4 });
      await stage.allDoneOnce(24);
      await stage.startedOnce();
      const gone = links.accepted() - links.standing();
      process.stdout.write(
        `on ${backend}, 300 ms: ${before} connections before, ${links.standing()} after, ${gone} closed\n`,
      );
      // A pool may grow to its bound; none is given up for being slow.
      expect(gone).toBeLessThan(before);
      await links.close();
    }));

  test('that stall and go on lose and double nothing, and open no connections without end (row 25)', () =>
    on(backend, async (stage) => {
      const links = await startUnderWay(stage);
      const before = links.accepted();
      const stood: number[] = [];
      for (let stall = 0; stall < 3; stall++) {
        stood.push(links.freeze());
        await pause(4_000);
        links.each((link) => link.thaw());
        await pause(1_000);
      }
      await stage.allDoneOnce(60);
      const opened = links.accepted() - before;
      process.stdout.write(`on ${backend}, stalls: ${stood} connections stood, ${opened} opened meanwhile\n`);
      // Each may be given up and replaced once in each of the stalls; and a pool that was not full may grow.
      expect(opened).toBeLessThanOrEqual(total(stood) + Math.max(...stood));
      expect(links.worker.exitCode).toBeNull();
      await links.close();
    }));

  test('that are reset again and again lose and double nothing, and each is opened again once (row 25)', () =>
    on(backend, async (stage) => {
      const links = await startUnderWay(stage);
      const before = links.accepted();
      const stood: number[] = [];
      for (let times = 0; times < 10; times++) {
        stood.push(links.reset());
        await pause(500);
      }
      const opened = links.accepted() - before;
      await stage.allDoneOnce(60);
      process.stdout.write(`on ${backend}, resets: ${stood} connections stood, ${opened} opened meanwhile\n`);
      // One for each that was taken; and a pool that was not full may grow meanwhile.
      expect(opened).toBeLessThanOrEqual(total(stood) + Math.max(...stood));
      expect(links.worker.exitCode).toBeNull();
      await links.close();
    }));

  test('that are reset as soon as they are made are tried again with a rest, without a storm (row 25)', () =>
    on(backend, async (stage) => {
      const links = await startUnderWay(stage);
      links.each((link) => link.spurn(true));
      const stood = links.reset();
      const tries: number[] = [];
      const spurnedAt = performance.now();
      for (let second = 0; second < 8; second++) {
        const before = links.accepted();
        await pause(1_000);
        tries.push(links.accepted() - before);
      }
      const seconds = (performance.now() - spurnedAt) / 1_000;
      links.each((link) => link.spurn(false));
      const backMs = await untilMoreDone(stage);
      process.stdout.write(
        `on ${backend}, spurned: ${stood} connections stood, ${tries} tries a second, back in ${backMs} ms\n`,
      );
      // Two a second for each that stood at that moment, when the pools may not have been full. Without a rest it were 1,700 in all.
      expect(total(tries)).toBeLessThanOrEqual(2 * stood * seconds);
      expect(backMs).toBeLessThan(consumingWithinMs);
      await stage.allDoneOnce(60);
      expect(links.worker.exitCode).toBeNull();
      await links.close();
    }));

  test('that are refused are used again soon after they are taken (row 25)', () =>
    on(backend, async (stage) => {
      const links = await startUnderWay(stage);
      await links.stop();
      await pause(8_000);
      await links.start();
      const backMs = await untilMoreDone(stage);
      process.stdout.write(`on ${backend}, refused: back in ${backMs} ms\n`);
      expect(backMs).toBeLessThan(consumingWithinMs);
      await stage.allDoneOnce(60);
      expect(links.worker.exitCode).toBeNull();
      await links.close();
    }));
});

describe.concurrent.each(queueBackends)('the link to SMTP of a worker on %s', { timeout: 4 * goalMs }, (backend) => {
  test('that is slow, then reset in the middle of a mail, repeats it under its Message-ID (row 25)', () =>
    on(backend, async (stage) => {
      const sink = await startSmtpSink();
      const link = await openTcpProxy(sink.url);
      await stage.worker({ SMTP_URL: link.url, FAULT_HANDLER: 'mail' });
      link.delay(300);
      const [slow] = await stage.produce(1);
      await stage.allDone(1);
      expect(sink.received).toEqual([`<${slow}@faults.test>`]);
      const [reset] = await stage.produce(1, { from: 1 });
      // Its commands take two seconds more on this link.
      await vi.waitFor(() => expect(sink.begun()).toBe(2), { timeout: goalMs, interval: 10 });
      link.reset();
      link.delay(0);
      await stage.allDone(2);
      const failures = await stage.jobsDb.sql`select job_id from jobs.failure`;
      expect(failures).toEqual([{ job_id: reset }]);
      expect(new Set(sink.received.slice(1))).toEqual(new Set([`<${reset}@faults.test>`]));
      await link.close();
      await sink.close();
    }));
});
