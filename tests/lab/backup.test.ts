/**
 * The profile `backup` as docs/backups.md says it, on the stack that all files look at: a backup, its drill, what doctor says
 * of their age, and a restore over the live volumes.
 */
import type { Report } from '@ballast/doctor';
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';
import { docker } from './harness/docker.ts';
import { compose, exec, query, type Stack } from './harness/stack.ts';

const base = inject('stack');
const stack: Stack = { ...base, env: { ...base.env, COMPOSE_PROFILES: 'backup' } };

beforeAll(async () => {
  await compose(stack, ['up', '-d', '--build', 'backup']);
});
afterAll(async () => {
  await compose(stack, ['rm', '-sf', 'backup'], { mayFail: true });
  // From here on no WAL is kept, and nobody misses the service.
  await exec(base, 'postgres', ['rm', '-rf', '/var/run/postgresql/pgbackrest']);
  await query(base, 'delete from ballast.backup_state; delete from ballast.restore_drill; drop table if exists kept;');
  await compose(base, ['up', '-d', '--wait', 'postgres', 'api', 'worker', 'web']);
  await docker(['rmi', '-f', `ballast/backup:${base.env.BALLAST_VERSION}`], { mayFail: true });
});

const ballast = (...words: string[]) => exec(stack, 'backup', ['ballast', 'backup', ...words], true);
const doctor = async () =>
  (JSON.parse((await exec(base, 'api', ['ballast', 'doctor', '--json'], true)).stdout) as Report).findings;
const silent = () => vi.waitFor(async () => expect(await doctor()).toEqual([]), { timeout: 90_000, interval: 1_000 });

test('the service takes a backup and proves a restore by itself, and doctor is silent', async () => {
  const known = `select backup is not null, recovery_point is not null, problem is null, coalesce((select bool_and(proven) from ballast.restore_drill where ended_at is not null), false)
                 from ballast.backup_state`;
  await vi.waitFor(async () => expect(await query(base, known)).toEqual(['t|t|t|t']), {
    timeout: 400_000,
    interval: 1_000,
  });
  const { stdout, stderr } = await ballast('list');
  expect(stdout).toMatch(/\bfull\b/);
  expect(stderr).toMatch(/Any moment since \d{4}-/);
  await silent();
  // Somebody who asks is told although all is well.
  expect((await exec(base, 'api', ['ballast', 'doctor'])).stdout).toMatch(
    /^Any moment up to \S+Z \(\d+ (?:s|min) ago\) can be restored; the last proven restore is \d+ (?:s|min) old\.$/m,
  );
});

test('doctor names the age of the last proven restore, and its command makes a new one', async () => {
  // Held still: it would notice too, and try a restore by itself.
  await compose(stack, ['pause', 'backup']);
  try {
    await query(
      base,
      "update ballast.restore_drill set started_at = started_at - interval '40 hours', ended_at = ended_at - interval '40 hours'",
    );
    const named = async () =>
      expect(await doctor()).toMatchObject([
        {
          code: 'restore.old',
          cause: 'The last proven restore is 40 h old.',
          fix: 'docker compose exec backup ballast backup drill',
        },
      ]);
    await vi.waitFor(named, { timeout: 60_000, interval: 1_000 });
  } finally {
    await compose(stack, ['unpause', 'backup']);
  }
  await ballast('drill');
  await silent();
});

test('what was committed is there again after a restore over the volumes of the stack', async () => {
  await query(base, `create table kept as select 'a word' as what; select pg_switch_wal();`);
  expect((await ballast('drill')).stdout).toMatch(/^Everything came back in/);
  const [, segment = ''] = await query(base, 'drop table kept; select pg_walfile_name(pg_switch_wal());');
  // A restore needs what came after its moment, to know where to end.
  const archived = `select coalesce(last_archived_wal >= '${segment}', false) from pg_stat_archiver`;
  const waiting = `test ! -e /var/run/postgresql/pgbackrest/${segment}`;
  await vi.waitFor(
    async () => {
      expect(segment).toMatch(/^[0-9A-F]{24}$/);
      expect(await query(base, archived)).toEqual(['t']);
      expect((await exec(base, 'postgres', ['sh', '-c', waiting], true)).code).toBe(0);
    },
    { timeout: 60_000, interval: 500 },
  );
  const [moment = ''] = await query(
    base,
    `select to_char(recovery_point at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') from ballast.restore_drill where proven order by id desc limit 1`,
  );
  await compose(stack, ['stop', 'backup', 'postgres']);
  const restored = await compose(stack, ['run', '--rm', '-T', 'restore', 'ballast', 'restore', '--to', moment], {
    mayFail: true,
  });
  await compose(stack, ['up', '-d', '--wait', 'postgres', 'backup']);
  expect(restored.code, restored.stdout + restored.stderr).toBe(0);
  expect(await query(base, 'select what from kept')).toEqual(['a word']);
  await exec(base, 'worker', ['ballast', 'jobs', 'release', '--all'], true);
  await silent();
});
