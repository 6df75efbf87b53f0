import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { startPostgres, type TestServer } from '@ballast/test-kit/embedded-postgres';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../../..');

// A server of its own: roles and their passwords belong to the whole server.
let server: TestServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

function login(role: string, password: string, database = 'ballast'): string {
  const url = new URL(server.adminUrl);
  url.username = role;
  url.password = password;
  url.pathname = `/${database}`;
  return url.href;
}

const logins = (round: string) => ({
  DATABASE_ADMIN_URL: server.adminUrl,
  DATABASE_OWNER_URL: login('ballast_owner', `k3Wq9-owner-${round}`),
  DATABASE_URL: login('ballast_app', `k3Wq9-a'p p-${round}`),
  DATABASE_DISPATCHER_URL: login('ballast_dispatcher', `k3Wq9-dispatcher-${round}`),
  DATABASE_BACKUP_URL: login('ballast_backup', `k3Wq9-backup-${round}`),
});

async function migrate(env: Record<string, string | undefined>) {
  const child = spawn(process.execPath, ['apps/api/src/migrate.ts'], {
    cwd: root,
    env: { PATH: process.env.PATH, BALLAST_ENV: 'local', ...env },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      said += chunk;
    });
  }
  const [code] = await once(child, 'close');
  return { code, said };
}

async function whoami(url: string): Promise<unknown> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    const [row] = await sql`select current_user::text as name`;
    return row?.name;
  } finally {
    await sql.end();
  }
}

it('makes roles and database on an empty server, for several at once, and later gives new passwords', async () => {
  const first = logins('1');
  const all = await Promise.all([migrate(first), migrate(first), migrate(first)]);
  expect(
    all.map(({ code }) => code),
    all.map(({ said }) => said).join('\n'),
  ).toEqual([0, 0, 0]);
  expect(await whoami(first.DATABASE_URL)).toBe('ballast_app');
  expect(await whoami(first.DATABASE_BACKUP_URL)).toBe('ballast_backup');

  const second = logins('2');
  const again = await migrate(second);
  expect(again).toMatchObject({ code: 0, said: expect.stringContaining('nothing to migrate') });
  expect(await whoami(second.DATABASE_DISPATCHER_URL)).toBe('ballast_dispatcher');
  await expect(whoami(first.DATABASE_URL)).rejects.toThrow(/password/);
});

it('asks for each login, under its own role, and shows no password', async () => {
  const { code, said } = await migrate({
    ...logins('3'),
    DATABASE_BACKUP_URL: undefined,
    DATABASE_DISPATCHER_URL: login('ballast_app', 'k3Wq9-x'),
  });
  expect(code).toBe(1);
  expect(said).toContain('DATABASE_BACKUP_URL is missing: DATABASE_ADMIN_URL is set');
  expect(said).toContain('DATABASE_DISPATCHER_URL must log in as ballast_dispatcher.');
  expect(said).not.toContain('k3Wq9');
});

it("says that secrets and data do not belong together when the superuser's password is refused", async () => {
  const other = login('postgres', 'k3Wq9-of-another-server', 'postgres');
  const { code, said } = await migrate({ ...logins('4'), DATABASE_ADMIN_URL: other });
  expect(code).toBe(1);
  expect(said).toContain("Postgres refuses the superuser's password");
  expect(said).not.toContain('k3Wq9');
});
