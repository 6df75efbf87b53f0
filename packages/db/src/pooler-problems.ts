import type { Database } from './client.ts';
import { limitNames } from './limits.ts';

export interface PoolerNeeds {
  /** Whom its sessions log in as. */
  role: string;
  /** No statement and no transaction may last longer, and none idle for longer. */
  limitMs: number;
}

/**
 * Names what makes a pool behind a pooler unsafe, in sentences. What a pool usually says of its
 * sessions is said to a pooler in vain: here they are asked whether it holds nevertheless.
 */
export async function poolerProblems({ sql }: Database, { role, limitMs }: PoolerNeeds): Promise<string[]> {
  const settings = await sql<{ name: string; ms: number; role: string }[]>`
    select name, setting::int as ms, current_user::text as role from pg_settings where name in ${sql([...limitNames])}`;
  const problems: string[] = [];
  const worn = settings[0]?.role;
  if (worn !== role) problems.push(`Through the pooler sessions are ${worn}, and not ${role}.`);
  const wrong = settings.filter(({ ms }) => ms === 0 || ms > limitMs);
  if (wrong.length > 0) {
    const found = wrong.map(({ name, ms }) => `${name} ${ms === 0 ? 'has no limit' : `is ${ms} ms`}`).join(', ');
    problems.push(
      `Through the pooler, ${found} for ${role}; ${limitMs} ms at most is safe: one frozen process would keep rows and a session ` +
        'for ever. The migration sets it where it holds the superuser’s login (REQUEST_TIMEOUT_MS); elsewhere: ' +
        `${wrong.map(({ name }) => `alter role ${role} set ${name} = ${limitMs};`).join(' ')} Then start the pooler again.`,
    );
  }
  const prepared = await sql<{ name: string }[]>`select name from pg_prepared_statements`;
  const ours = (prepared as { statement?: { name?: string } }).statement?.name;
  if (ours && prepared.some(({ name }) => name === ours)) {
    problems.push(
      'The pooler hands prepared statements on as they are, to whatever session is free, where they are not known: ' +
        'it has to be PgBouncer 1.21 or newer with max_prepared_statements above 0.',
    );
  }
  return problems;
}
