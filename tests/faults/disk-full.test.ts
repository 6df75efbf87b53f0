/** A disk of Postgres without room: row 24 of the fault table, on a server whose files lie on a file system of their own. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate, readMigrations } from '@ballast/db/migrate';
import { prepareDatabase } from '@ballast/db/prepare-database';
import { roles } from '@ballast/db/roles';
import { databaseUrl, onServer, testPassword } from '@ballast/test-kit/database';
import { startPostgres, type TestServer } from '@ballast/test-kit/embedded-postgres';
import { freePort } from '@ballast/test-kit/free-port';
import { migrationSources } from '@ballast/test-kit/template';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { signedCookie } from '../../apps/api/src/testing/signed-cookie.ts';
import { killStarted, start, untilReady } from '../../apps/api/src/testing/start-process.ts';

const key = 'q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=';

/** A file system of some megabytes, or null where only a container's root could mount one. */
function mountSmall(megabytes: number): string | null {
  const folder = mkdtempSync(join(tmpdir(), 'ballast-full-'));
  chmodSync(folder, 0o755);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0755`, 'tmpfs', folder], { stdio: 'ignore' });
    return folder;
  } catch {
    rmSync(folder, { recursive: true });
    return null;
  }
}

/** Takes what room is left. */
function fill(folder: string): string {
  const filler = join(folder, 'filler');
  for (let kilobytes = 65_536; kilobytes >= 1; kilobytes = Math.floor(kilobytes / 2)) {
    try {
      for (;;) writeFileSync(filler, Buffer.alloc(kilobytes * 1024), { flag: 'a' });
    } catch (error) {
      if ((error as { code?: string }).code !== 'ENOSPC') throw error;
    }
  }
  return filler;
}

const small = mountSmall(400);

if (small) {
  describe('a Postgres whose disk is full', { timeout: 180_000 }, () => {
    let server: TestServer;
    let origin: string;
    let owner: string;

    beforeAll(async () => {
      const { TMPDIR } = process.env;
      process.env.TMPDIR = small;
      server = await startPostgres().finally(() => {
        if (TMPDIR === undefined) delete process.env.TMPDIR;
        else process.env.TMPDIR = TMPDIR;
      });
      const passwords = { owner: testPassword, app: testPassword, dispatcher: testPassword, backup: testPassword };
      await prepareDatabase(server.adminUrl, { database: 'ballast', passwords });
      owner = databaseUrl(server.adminUrl, 'ballast', roles.owner);
      await migrate(owner, await readMigrations(migrationSources()));
      const port = String(await freePort());
      const api = start('main', {
        BALLAST_ENV: 'local',
        DATABASE_URL: databaseUrl(server.adminUrl, 'ballast', roles.app),
        AUTH_SECRET: key,
        API_PORT: port,
        DISABLE_BACKGROUND_WORKERS: 'true',
      });
      origin = await untilReady(port, api);
    }, 180_000);
    afterAll(async () => {
      killStarted();
      await server.stop();
      execFileSync('umount', ['-l', small]);
      rmSync(small, { recursive: true });
    });

    const signUp = (name: string) =>
      fetch(`${origin}/api/accounts/sign-up`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: 'http://localhost:3000' },
        body: JSON.stringify({ name, email: `${name}@acme.test`, password: 'correct horse battery staple' }),
      });

    const kept = () =>
      onServer(databaseUrl(server.adminUrl, 'ballast'), async (admin) => {
        const [row] = await admin`
          select (select count(*)::int from accounts."user") as people, (select count(*)::int from jobs.job where name = 'accounts.send-verification') as mails`;
        return row;
      });

    test('answers writes with 503 and reads as ever; nothing is half done, and with the room it goes on (row 24)', async () => {
      const filler = fill(small);
      const refused = await signUp('ada');
      expect(refused.status).toBe(503);
      expect(refused.headers.get('content-type')).toContain('application/problem+json');
      expect(await refused.json()).toMatchObject({ code: 'database.full', requestId: expect.any(String) });
      // Nobody has that session: that it is known takes a read.
      const read = await fetch(`${origin}/api/accounts/me`, { headers: { cookie: await signedCookie(key) } });
      expect(read.status).toBe(401);
      expect((await fetch(`${origin}/health`)).status).toBe(200);
      expect(await kept()).toEqual({ people: 0, mails: 0 });
      rmSync(filler);
      expect((await signUp('ada')).status).toBe(202);
      expect(await kept()).toEqual({ people: 1, mails: 1 });
    });
  });
}
