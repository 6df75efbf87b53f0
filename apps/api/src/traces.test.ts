import { createTestDatabase } from '@ballast/test-kit/database';
import { freePort } from '@ballast/test-kit/free-port';
import { openInbox } from '@ballast/test-kit/inbox';
import { startTraceReceiver } from '@ballast/test-kit/trace-receiver';
import { afterEach, expect, it } from 'vitest';
import { killStarted, start, untilReady } from './testing/start-process.ts';

afterEach(killStarted);

it('a sign-up and the mail that it causes are one trace, over two processes and Postgres', async () => {
  const [database, receiver, inbox] = await Promise.all([createTestDatabase(), startTraceReceiver(), openInbox()]);
  const env: Record<string, string> = {
    BALLAST_ENV: 'local',
    DATABASE_URL: database.appUrl,
    AUTH_SECRET: 'q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=',
    SMTP_URL: inbox.url,
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
  };
  const apiEnv = { ...env, API_PORT: String(await freePort()), DISABLE_BACKGROUND_WORKERS: 'true' };
  const workerEnv = { ...env, WORKER_PORT: String(await freePort()), DATABASE_DISPATCHER_URL: database.dispatcherUrl };
  const api = start('main', apiEnv);
  const worker = start('workers-standalone', workerEnv);
  const [origin] = await Promise.all([untilReady(apiEnv.API_PORT, api), untilReady(workerEnv.WORKER_PORT, worker)]);

  const response = await fetch(`${origin}/api/accounts/sign-up`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: 'http://localhost:3000' },
    body: JSON.stringify({ name: 'Ada', email: 'ada@acme.test', password: 'correct horse battery' }),
  });
  expect(response.ok).toBe(true);
  await expect.poll(async () => (await inbox.mails()).length, { timeout: 60_000 }).toBe(1);
  const span = (wanted: string) => receiver.spans.find(({ name }) => name === wanted);
  await expect
    .poll(() => [span('POST /api/accounts/sign-up'), span('job accounts.send-verification')], { timeout: 60_000 })
    .not.toContain(undefined);
  await fetch(`${origin}/api/accounts/me`);
  const toldAt = performance.now();
  for (const { child } of [api, worker]) child.kill('SIGTERM');
  expect(await Promise.all([api.exited, worker.exited])).toEqual([0, 0]);
  // Ending, they send what they still hold; after three seconds they would give that up.
  if (performance.now() - toldAt < 3_000) expect(span('GET /api/accounts/me')).toBeDefined();

  const asked = span('POST /api/accounts/sign-up');
  const mailed = span('job accounts.send-verification');
  expect(asked).toMatchObject({ service: 'ballast-api', parentId: '', kind: 2 });
  expect(asked?.attributes['ballast.request_id']).toBe(response.headers.get('x-request-id'));
  expect(mailed).toMatchObject({
    service: 'ballast-worker',
    traceId: asked?.traceId,
    parentId: asked?.spanId,
    kind: 5,
  });
  expect(mailed?.attributes['job.outcome']).toBe('done');
  expect(api.said()).toContain(`"trace_id":"${asked?.traceId}"`);
  // The database's errors, the libraries' spans and the payloads know an address; traces do not.
  for (const private_ of ['acme.test', 'Ada', 'correct horse']) expect(receiver.text()).not.toContain(private_);
  expect(new Set(receiver.spans.map(({ scope }) => scope))).toEqual(new Set(['ballast']));

  await Promise.all([inbox.close(), receiver.close(), database.drop()]);
}, 300_000);
