import { createTestDatabase, type TestDatabase } from '@ballast/test-kit/database';
import { openPatiently } from '@ballast/test-kit/pools';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Database } from './client.ts';
import { defaultRequestMs } from './limits.ts';
import { poolerProblems } from './pooler-problems.ts';

let database: TestDatabase;
let db: Database;

// What a pooler is that keeps nothing: its sessions are opened with no word, and statements are handed on as they are.
beforeAll(async () => {
  database = await createTestDatabase();
  db = openPatiently({ url: database.appUrl, applicationName: 'careless', maxConnections: 1, pooled: true });
});
afterAll(async () => {
  await db.close();
  await database.drop();
});

it('finds the limits that the migration gave the login, and statements that are known by the names that we gave them', async () => {
  expect(await poolerProblems(db, { role: 'ballast_app', limitMs: defaultRequestMs })).toEqual([
    expect.stringContaining('max_prepared_statements above 0'),
  ]);
});

it('names limits that are too long, another role, and what mends them', async () => {
  const [role, limits] = await poolerProblems(db, { role: 'ballast_auth', limitMs: 5_000 });
  expect(role).toBe('Through the pooler sessions are ballast_app, and not ballast_auth.');
  expect(limits).toContain(`transaction_timeout is ${defaultRequestMs} ms`);
  expect(limits).toContain('alter role ballast_auth set idle_in_transaction_session_timeout = 5000;');
});

it('says what there is no limit of', async () => {
  const bare = openPatiently({ url: database.ownerUrl, applicationName: 'bare', maxConnections: 1, pooled: true });
  const [limits] = await poolerProblems(bare, { role: 'ballast_owner', limitMs: defaultRequestMs });
  expect(limits).toMatch(/idle_in_transaction_session_timeout has no limit, .*statement_timeout has no limit/s);
  await bare.close();
});

it('leaves a session of ours without the limits of its login, unless it says some', async () => {
  const direct = openPatiently({ url: database.appUrl, applicationName: 'direct', maxConnections: 1 });
  expect(await direct.sql`show statement_timeout`).toEqual([{ statement_timeout: '0' }]);
  expect(await db.sql`show statement_timeout`).toEqual([{ statement_timeout: `${defaultRequestMs / 1_000}s` }]);
  await direct.close();
});
