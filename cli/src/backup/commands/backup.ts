import type { LocalCommand } from '../../command.ts';
import { answerOf } from '../backup-problem.ts';
import { backupSettings } from '../settings.ts';
import { takeBackup } from '../take-backup.ts';
import { bytes } from './words.ts';

export const backup: LocalCommand = {
  name: '',
  summary: 'Takes a backup of Postgres now: what changed since the last full one, or with --full everything.',
  details:
    'Runs beside Postgres, as its user: docker compose exec backup ballast backup. The service backup takes them by itself;\n' +
    'WAL is saved all the time, so that any moment between two backups can be restored too.',
  options: { full: { description: 'a backup that needs no other' } },
  act: ({ options }, surroundings) =>
    answerOf(async () => {
      const taken = await takeBackup(backupSettings(surroundings), options.full ? 'full' : 'diff');
      const text = `Backup ${taken.label} (${taken.kind}): ${bytes(taken.size)} of data, ${bytes(taken.stored)} new in the repository.`;
      const damaged = taken.damaged
        ? { note: 'A page had a wrong checksum when it was read: Postgres’ disk may be failing.' }
        : {};
      return { text, data: taken, ok: !taken.damaged, ...damaged };
    }),
};
