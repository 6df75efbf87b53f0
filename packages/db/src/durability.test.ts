import { createTestDatabase, onServer } from '@ballast/test-kit/database';
import { startPostgres } from '@ballast/test-kit/embedded-postgres';
import { openPatiently } from '@ballast/test-kit/pools';
import { expect, it } from 'vitest';
import { durabilityProblems } from './durability.ts';

async function problemsAt(url: string): Promise<string[]> {
  const db = openPatiently({ url, applicationName: 'durability-test', maxConnections: 1 });
  try {
    return await durabilityProblems(db);
  } finally {
    await db.close();
  }
}

it('names each setting by which a server would lose commits', async () => {
  const server = await startPostgres(['fsync=off', 'full_page_writes=off', 'synchronous_commit=off']);
  try {
    expect((await problemsAt(server.adminUrl)).sort()).toEqual(
      ['fsync', 'full_page_writes', 'synchronous_commit'].map((name) =>
        expect.stringContaining(`Postgres runs with ${name} = off`),
      ),
    );
  } finally {
    await server.stop();
  }
});

it('is content with a server that flushes here, whatever its standbys do', async () => {
  const database = await createTestDatabase({ empty: true });
  await onServer(database.adminUrl, (admin) =>
    admin.unsafe(`alter database ${database.name} set synchronous_commit = local`),
  );
  expect(await problemsAt(database.adminUrl)).not.toContainEqual(expect.stringContaining('synchronous_commit'));
  await database.drop();
});
