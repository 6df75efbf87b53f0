import { isTooOld, oldestMajor, versionName } from '@ballast/db';
import { roles } from '@ballast/db/roles';
import { logs, set, startPostgres } from '../commands.ts';
import { type Finding, finding } from '../finding.ts';
import type { Probe } from '../probe.ts';
import { Away } from '../stores/away.ts';
import type { SeenDatabase } from '../stores/postgres.ts';
import type { Subject } from '../subject.ts';
import { placeOf } from '../words.ts';
import { serverFull, tooManyConnections } from './connections.ts';

export const database: Probe = {
  name: 'Postgres answers',
  async look({ subject, database }) {
    if (!subject.databaseUrl) throw new Away('Postgres', 'UNSET', 'DATABASE_URL is not known here');
    try {
      return judge(await database(), subject);
    } catch (error) {
      if (error instanceof Away) return [explain(error, subject, subject.databaseUrl)];
      throw error;
    }
  },
};

function judge(seen: SeenDatabase, subject: Subject): Finding[] {
  const found: Finding[] = [];
  if (isTooOld(seen.versionNumber)) {
    const version = versionName(seen.versionNumber);
    found.push(tooOld(version, [`${placeOf(subject.databaseUrl ?? '')} says that it is ${version}`]));
  }
  if (seen.readOnly) {
    found.push(
      finding('database.read_only', {
        cause: 'Postgres takes no writes: it is a standby, or was set to read only.',
        evidence: [`${placeOf(subject.databaseUrl ?? '')} says so`],
        fix: 'Point DATABASE_URL at the primary.',
      }),
    );
  }
  if (seen.bypassesRows || seen.user !== roles.app) {
    found.push(
      finding('database.wrong_role', {
        cause: `DATABASE_URL logs in as ${seen.user}, which ${seen.bypassesRows ? "row-level security does not bind: a forgotten condition shows another tenant's rows" : 'is not the role that serves'}.`,
        evidence: [`current_user is ${seen.user}`],
        fix: set(subject.place, 'api', `DATABASE_URL to the login of ${roles.app}`),
      }),
    );
  }
  return found;
}

function tooOld(version: string, evidence: string[]): Finding {
  return finding('database.too_old', {
    cause: `Postgres is ${version}, and Ballast needs ${oldestMajor} or newer: the migration refuses it.`,
    evidence,
    fix: `Upgrade the server to Postgres ${oldestMajor} (pg_upgrade, or a dump that is restored), or point DATABASE_URL at one.`,
  });
}

function explain({ code, message }: Away, { place }: Subject, url: string): Finding {
  const at = placeOf(url);
  const { username, pathname } = new URL(url);
  const evidence = [`${at}: ${message}${message.includes(code) ? '' : ` (${code})`}`];
  if (code === '28P01' || code === '28000') {
    const cause = `Postgres refuses the login of ${username}: the password in DATABASE_URL is not the one it has.`;
    return finding('database.refused', { cause, evidence, fix: 'Correct DATABASE_URL.' });
  }
  if (code === '3D000') {
    const cause = `Postgres has no database ${pathname.slice(1)}: DATABASE_URL is wrong, or the migration never ran.`;
    return finding('database.missing', { cause, evidence, fix: 'Correct DATABASE_URL, or run the migration.' });
  }
  if (code === tooManyConnections) return serverFull(evidence.join(' '));
  // Every session of ours says how long its transactions may last, which came with 17.
  if (code === '42704' && message.includes('transaction_timeout')) return tooOld('older than 17', evidence);
  if (code === '57P03') {
    const cause = 'Postgres is starting, or recovering from a crash.';
    return finding('database.unreachable', {
      cause,
      evidence,
      fix: `Wait. If it does not end: ${logs(place, 'postgres')}`,
    });
  }
  const cause =
    code === 'ENOTFOUND' || code === 'EAI_AGAIN'
      ? `Nothing is called ${new URL(url).hostname} here: Postgres is down, or DATABASE_URL is wrong.`
      : 'Postgres is down, or DATABASE_URL is wrong.';
  return finding('database.unreachable', { cause, evidence, fix: startPostgres(place) });
}
