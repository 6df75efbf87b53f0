import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestDatabase, type TestDatabase } from '@ballast/test-kit/database';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let database: TestDatabase;
let data: string;

beforeAll(async () => {
  database = await createTestDatabase();
  data = mkdtempSync(join(tmpdir(), 'ballast-cli-'));
});
afterAll(async () => {
  rmSync(data, { recursive: true });
  await database.drop();
});

/** The real process, as pnpm starts it. */
function ballast(env: Record<string, string>, ...words: string[]) {
  return new Promise<{ code: number; out: string; err: string }>((resolve) => {
    const args = [join(import.meta.dirname, 'main.ts'), ...words];
    execFile(process.execPath, args, { env: { PATH: process.env.PATH, ...env } }, (error, out, err) =>
      resolve({ code: Number(error?.code ?? 0), out, err }),
    );
  });
}

const passwordOf = (url: string) => new URL(url).password;

describe('the command line as a process', () => {
  it('answers and exits with the code', async () => {
    const env = { DATABASE_DISPATCHER_URL: database.dispatcherUrl };
    expect(await ballast(env, 'jobs', 'counts', '--json')).toEqual({
      code: 0,
      out: '[]\n',
      err: 'There are no jobs.\n',
    });
    expect(await ballast(env, 'jobs', 'pause', 'default')).toMatchObject({ code: 0 });
    expect(await ballast(env, 'jobs', 'pause', 'default')).toMatchObject({ code: 1, out: '' });
    expect(await ballast(env, 'jobs', 'pauze', 'default')).toMatchObject({ code: 2 });
  });

  it('says in one sentence that no database is known', async () => {
    const { code, out, err } = await ballast({ BALLAST_DATA: data }, 'jobs', 'list');
    expect({ code, out }).toEqual({ code: 3, out: '' });
    expect(err).toBe(
      `DATABASE_DISPATCHER_URL is missing, and no Ballast runs on ${data}: set it to Postgres as ballast_dispatcher, or run npm start.\n`,
    );
  });

  it('says in one sentence that it does not answer, refuses the login, is another, or has no tables', async () => {
    const sentence = async (url: string) => {
      const { code, err } = await ballast({ DATABASE_DISPATCHER_URL: url }, 'jobs', 'list');
      expect(code).toBe(3);
      expect(err).not.toContain(passwordOf(database.dispatcherUrl));
      expect(err.split('\n')).toHaveLength(2);
      return err;
    };
    const changed = (change: (url: URL) => void) => {
      const url = new URL(database.dispatcherUrl);
      change(url);
      return url.href;
    };
    expect(await sentence(changed((url) => (url.port = '1')))).toContain(
      'The database at 127.0.0.1:1 does not answer (ECONNREFUSED). Start it, or correct DATABASE_DISPATCHER_URL.',
    );
    expect(await sentence(changed((url) => (url.password = 'wrong')))).toContain('refuses the password');
    expect(await sentence(changed((url) => (url.pathname = '/nothing')))).toContain('has no database nothing');
    expect(await sentence('mysql://x@y/z')).toContain('must be postgres://');
    const empty = await createTestDatabase({ empty: true });
    expect(await sentence(empty.dispatcherUrl)).toContain('Run the migration');
    await empty.drop();
  });

  it('finds the Postgres of npm start by itself', async () => {
    const { port, password } = new URL(database.dispatcherUrl);
    mkdirSync(join(data, 'postgres'));
    mkdirSync(join(data, 'secrets'));
    writeFileSync(join(data, 'postgres/postmaster.pid'), [process.pid, '/data', '1764000000', port, ''].join('\n'));
    writeFileSync(join(data, 'secrets/database_dispatcher'), `${password}\n`);
    // Its database is called ballast; the tests' server has none of that name.
    const { err } = await ballast({ BALLAST_DATA: data }, 'jobs', 'list');
    expect(err).toContain(`has no database ballast. Correct the Postgres of npm start (${data}).`);
    writeFileSync(join(data, 'postgres/postmaster.pid'), [2 ** 22 + 1, '/data', '1764000000', port, ''].join('\n'));
    expect((await ballast({ BALLAST_DATA: data }, 'jobs', 'list')).err).toContain('no Ballast runs on');
  });
});
