import { type Database, withScope } from '@ballast/db';
import { defineJob } from '@ballast/kernel';
import { createTestDatabase, type TestDatabase } from '@ballast/test-kit/database';
import { openPatiently } from '@ballast/test-kit/pools';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { enqueue } from './enqueue.ts';
import { look } from './look.ts';

let database: TestDatabase;
let db: Database;

beforeAll(async () => {
  database = await createTestDatabase();
  db = openPatiently({ url: database.dispatcherUrl });
});

afterAll(async () => {
  await db.close();
  await database.drop();
});

it('says when the next job is due, and nothing when none waits for its time: an idle tick asks no more', async () => {
  expect((await look(db)).nextInMs).toBeNull();
  const job = defineJob({ name: 'suite.later', payload: z.strictObject({}) });
  await withScope(db, {}, (tx) => enqueue(tx, job, {}, { tenant: null, runAt: new Date(Date.now() + 60_000) }));
  const soon = (await look(db)).nextInMs;
  expect(soon).toBeGreaterThan(0);
  expect(soon).toBeLessThanOrEqual(61_000);
  await db.sql`update jobs.later set run_at = now() - interval '1 second'`;
  expect((await look(db)).nextInMs).toBe(0);
});
