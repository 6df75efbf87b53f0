import type { LocalCommand } from '../../command.ts';
import { answerOf } from '../backup-problem.ts';
import { drill } from '../drill.ts';
import { backupSettings } from '../settings.ts';

export const drillNow: LocalCommand = {
  name: 'drill',
  summary: 'Restores the newest backup into a server of its own, and looks whether everything came back.',
  details:
    'The server that runs is not touched. The result is recorded, and ballast doctor states how old the last proven one is.',
  act: (_, surroundings) =>
    answerOf(async () => {
      const found = await drill(backupSettings(surroundings));
      const text = found.proven
        ? `Everything came back in ${found.seconds} s: ${found.rows} rows in ${found.tables} tables, up to ${found.recoveryPoint?.toISOString()}.`
        : '';
      return { text, data: found, ok: found.proven, ...(found.problem ? { note: found.problem } : {}) };
    }),
};
