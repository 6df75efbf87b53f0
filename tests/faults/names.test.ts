/**
 * Names that lead elsewhere, or nowhere: rows 21 and 27 of the fault table. The API sees
 * name files of its own (a mount namespace), so the system's real resolver is what is hurt.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createTestDatabase, type TestDatabase } from '@ballast/test-kit/database';
import { freePort } from '@ballast/test-kit/free-port';
import { openNameServer } from '@ballast/test-kit/name-server';
import { queueBackends } from '@ballast/test-kit/queue';
import { startSmtpSink } from '@ballast/test-kit/smtp-sink';
import { startStopwatch } from '@ballast/test-kit/stopwatch';
import { openTcpProxy } from '@ballast/test-kit/tcp-proxy';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { signedCookie } from '../../apps/api/src/testing/signed-cookie.ts';
import { consumingWithinMs, goalMs, on, saying, untilMoreDone } from './stage.ts';

const key = 'q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=';
const root = resolve(import.meta.dirname, '../..');
/** Goal E: Postgres back, healthy again. */
const backWithinMs = 10_000;

/** Runs the program behind it with the first two arguments as its name files. */
const withNames = 'mount --bind "$0" /etc/hosts && mount --bind "$1" /etc/resolv.conf && shift && exec "$@"';

/** Whether this account may give a process files of its own. */
function mayUnshare(): boolean {
  try {
    execFileSync('unshare', ['-m', 'mount', '--bind', '/etc/hosts', '/etc/hosts'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

if (mayUnshare()) {
  describe('the name of Postgres', { timeout: 180_000 }, () => {
    let database: TestDatabase;
    let folder: string;
    let hosts: string;
    let resolver: string;
    const children: ChildProcess[] = [];

    beforeAll(async () => {
      database = await createTestDatabase();
      folder = mkdtempSync(join(tmpdir(), 'ballast-names-'));
      [hosts, resolver] = [join(folder, 'hosts'), join(folder, 'resolv.conf')];
    });
    afterAll(async () => {
      for (const child of children) child.kill('SIGKILL');
      rmSync(folder, { recursive: true });
      await database.drop();
    });

    async function startApi(): Promise<string> {
      const url = new URL(database.appUrl);
      url.hostname = 'database.test';
      const port = String(await freePort());
      const program = [process.execPath, '--import', './scripts/tsx-hook.mjs', 'apps/api/src/main.ts'];
      const child = spawn('unshare', ['-m', 'sh', '-c', withNames, hosts, resolver, ...program], {
        cwd: root,
        env: {
          PATH: process.env.PATH,
          BALLAST_ENV: 'local',
          DATABASE_URL: url.href,
          AUTH_SECRET: key,
          API_PORT: port,
          DISABLE_BACKGROUND_WORKERS: 'true',
        },
        stdio: ['ignore', 'ignore', 'ignore'],
      });
      children.push(child);
      const origin = `http://127.0.0.1:${port}`;
      const ready = () =>
        fetch(`${origin}/readyz`).then(
          ({ ok }) => ok,
          () => false,
        );
      await expect.poll(ready, { timeout: 90_000, interval: 200 }).toBe(true);
      return origin;
    }

    const at = (host: string) =>
      openTcpProxy(database.appUrl, undefined, { host, port: Number(new URL(database.appUrl).port) });

    async function ask(origin: string) {
      const askedAt = performance.now();
      const response = await fetch(`${origin}/api/accounts/me`, { headers: { cookie: await signedCookie(key) } });
      const { code, requestId } = (await response.json()) as { code: string; requestId: string };
      return { status: response.status, code, requestId, ms: performance.now() - askedAt };
    }

    async function health(origin: string) {
      const askedAt = performance.now();
      const { status } = await fetch(`${origin}/health`);
      return { status, ms: performance.now() - askedAt };
    }

    /** Milliseconds until health and requests are as before. */
    async function untilBack(origin: string): Promise<number> {
      const watch = startStopwatch();
      await expect
        .poll(async () => [(await health(origin)).status, (await ask(origin)).status], {
          timeout: 60_000,
          interval: 100,
        })
        .toEqual([200, 401]);
      return watch.stop();
    }

    test('leads to another address when Postgres comes back: pools follow (row 21)', async () => {
      writeFileSync(resolver, '');
      writeFileSync(hosts, '127.0.2.1 database.test\n');
      const former = await at('127.0.2.1');
      const origin = await startApi();
      expect((await ask(origin)).status).toBe(401);
      await former.stop();
      expect(await ask(origin)).toMatchObject({ status: 503, code: 'database.unreachable' });
      const next = await at('127.0.2.2');
      writeFileSync(hosts, '127.0.2.2 database.test\n');
      const ms = await untilBack(origin);
      process.stdout.write(`at another address: back in ${ms.toFixed(0)} ms\n`);
      expect(ms).toBeLessThan(backWithinMs);
      expect(next.accepted()).toBeGreaterThan(0);
      await next.close();
    });

    test('cannot be asked for: requests are refused in time, and go on with the name server (row 27)', async () => {
      const names = await openNameServer('127.0.3.1', 53);
      names.set('database.test', ['127.0.2.3']);
      writeFileSync(hosts, '');
      writeFileSync(resolver, 'nameserver 127.0.3.1\n');
      const link = await at('127.0.2.3');
      const origin = await startApi();
      expect((await ask(origin)).status).toBe(401);
      names.silence(true);
      // What stands goes on without names.
      expect((await ask(origin)).status).toBe(401);
      link.reset();
      await expect.poll(async () => (await health(origin)).status, { timeout: 30_000 }).toBe(503);
      for (const answer of await Promise.all(Array.from({ length: 10 }, () => ask(origin)))) {
        expect(answer.status).toBe(503);
        expect(answer.code).toBe('database.unreachable');
        expect(answer.requestId).toBeTruthy();
        expect(answer.ms).toBeLessThan(15_000);
      }
      // Half a second is this machine's own.
      const looks = [await health(origin), await health(origin), await health(origin)];
      expect(Math.min(...looks.map(({ ms }) => ms))).toBeLessThan(2_500);
      names.silence(false);
      const ms = await untilBack(origin);
      process.stdout.write(`names again: back in ${ms.toFixed(0)} ms\n`);
      expect(ms).toBeLessThan(backWithinMs);
      names.close();
      await link.close();
    });
  });

  describe.concurrent.each(queueBackends)('the names of a worker on %s', { timeout: 5 * goalMs }, (backend) => {
    test('cannot be asked for: what stands goes on, and what was cut goes on with the name server (row 27)', () =>
      on(backend, async (stage) => {
        // An address of its own for each backend: they play side by side.
        const ip = backend === 'redis' ? '127.0.4.1' : '127.0.5.1';
        const names = await openNameServer(ip, 53);
        const folder = mkdtempSync(join(tmpdir(), 'ballast-names-'));
        const [hosts, resolver] = [join(folder, 'hosts'), join(folder, 'resolv.conf')];
        writeFileSync(hosts, '');
        writeFileSync(resolver, `nameserver ${ip}\n`);
        const sink = await startSmtpSink();
        const targets = {
          APP_URL: stage.database.appUrl,
          DISPATCHER_URL: stage.database.dispatcherUrl,
          SMTP_URL: sink.url,
          ...(stage.queue.redis && { REDIS_QUEUE_URL: stage.queue.redis.url }),
        };
        const links = await Promise.all(Object.values(targets).map((url) => openTcpProxy(url)));
        const named = Object.keys(targets).map((setting, index) => {
          const url = new URL(links[index]?.url ?? '');
          url.hostname = `${setting.split('_')[0]?.toLowerCase()}.test`;
          names.set(url.hostname, ['127.0.0.1']);
          return [setting, url.href];
        });
        const worker = spawn(
          'unshare',
          ['-m', 'sh', '-c', withNames, hosts, resolver, process.execPath, 'tests/faults/worker-process.ts'],
          {
            cwd: root,
            env: { ...process.env, ...Object.fromEntries(named), FAULT_HANDLER: 'mail' },
            stdio: ['ignore', 'pipe', 'pipe'],
          },
        );
        try {
          await saying(worker, 'ready');
          await stage.produce(2);
          await stage.allDone(2);
          names.silence(true);
          // What stands goes on without names.
          await stage.produce(2, { from: 2 });
          await stage.allDone(4);
          for (const link of links) link.reset();
          const [waiting] = await stage.produce(20, { from: 4 });
          // Longer than a name server is waited for, and than the announcement of a dead process takes.
          await pause(20_000);
          expect(worker.exitCode).toBeNull();
          expect(await stage.states()).toEqual({ done: 4, pending: 20 });
          names.silence(false);
          const ms = await untilMoreDone(stage);
          process.stdout.write(`on ${backend}, names again: the next job is done after ${ms} ms\n`);
          expect(ms).toBeLessThan(consumingWithinMs);
          await stage.allDone(24);
          expect(new Set(sink.received).size).toBe(24);
          expect(sink.received).toContain(`<${waiting}@faults.test>`);
          expect(worker.exitCode).toBeNull();
        } finally {
          worker.removeAllListeners('exit');
          worker.kill('SIGKILL');
          names.close();
          await Promise.all(links.map((link) => link.close()));
          await sink.close();
          rmSync(folder, { recursive: true });
        }
      }));
  });
}
