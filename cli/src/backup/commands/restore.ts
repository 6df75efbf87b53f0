import { type LocalCommand, UsageError } from '../../command.ts';
import { answerOf } from '../backup-problem.ts';
import { notSaved, restore } from '../restore.ts';
import { backupSettings } from '../settings.ts';
import { momentOf } from './words.ts';

export const restoreTo: LocalCommand = {
  name: '',
  summary: 'Brings the database back as it was at a moment, and holds its jobs.',
  details:
    'Postgres must not run on the folder; what stands there is kept beside it. Jobs that were open at that moment are held,\n' +
    'since what was done after it would be done again: look at them (ballast jobs list --state held), then release them.\n' +
    'Another folder than Postgres’ own gets a copy to look at, which is not archived.',
  options: {
    to: { value: 'TIME|latest', description: 'such as 2026-11-24T08:30:00Z, or latest: all that there is' },
    target: { value: 'FOLDER', description: 'where to; Postgres’ own folder when left out' },
  },
  async act({ options }, surroundings) {
    if (options.to === undefined) throw new UsageError('--to is missing: a moment, or latest.');
    const to = momentOf(options.to);
    return answerOf(async () => {
      const settings = backupSettings(surroundings);
      const done = await restore(settings, options.target ?? settings.dataFolder, to);
      const { jobs, handedOut, slots } = done.held;
      const lines = [
        `Restored into ${done.target}${done.newestCommit ? `, up to the commit of ${done.newestCommit.toISOString()}` : ''}.`,
        `${jobs} jobs were open then and are held (${handedOut} of them had been handed out); ${slots} slots of schedules since then are passed over.`,
        ...(done.unsaved ? [notSaved(done.unsaved)] : []),
        ...(done.aside ? [`What was there is in ${done.aside}; remove it when nobody needs it any more.`] : []),
        'Start Postgres, look at the jobs (ballast jobs list --state held), and release them: ballast jobs release --all',
      ];
      return { text: lines.join('\n'), data: done, ok: true };
    });
  },
};
