import { checkMigrations } from '@ballast/db';
import { inContainers, logs, migrate } from '../commands.ts';
import { finding } from '../finding.ts';
import type { Probe } from '../probe.ts';
import { count, listed } from '../words.ts';

export const migrations: Probe = {
  name: 'migrations',
  async look({ subject, db }) {
    const { missing, ahead } = await checkMigrations(await db(), subject.migrations);
    const found = [];
    if (missing.length > 0) {
      found.push(
        finding('migrations.missing', {
          cause: `${count(missing.length, 'migration')} of this build ${missing.length === 1 ? 'is' : 'are'} missing in the database: the migration did not run, or failed and was rolled back.`,
          evidence: [`missing: ${listed(missing)}`],
          fix: `${migrate(subject.place)}${inContainers(subject.place) ? ` (why it failed: ${logs(subject.place, 'migrate')})` : ''}`,
        }),
      );
    }
    if (ahead.length > 0) {
      found.push(
        finding('migrations.ahead', {
          cause: 'The database is ahead of this build: a newer one has migrated it.',
          evidence: [`this build does not know ${listed(ahead)}`],
          fix: 'Deploy the build that brought them.',
        }),
      );
    }
    return found;
  },
};
