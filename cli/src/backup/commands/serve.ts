import type { LocalCommand } from '../../command.ts';
import { answerOf } from '../backup-problem.ts';
import { runBackupService, type ServiceLog } from '../service.ts';
import { backupSettings } from '../settings.ts';

export const serve: LocalCommand = {
  name: 'serve',
  summary:
    'Saves WAL as it comes, takes backups and runs drills when they are due. The service backup of the Compose file.',
  act: (_, surroundings) =>
    answerOf(async () => {
      const stop = new AbortController();
      const end = () => stop.abort();
      process.once('SIGTERM', end);
      process.once('SIGINT', end);
      await runBackupService(backupSettings(surroundings), log, stop.signal);
      return { text: '', data: {}, ok: true };
    }),
};

const line = (level: string) => (fields: object, msg: string) => {
  process.stderr.write(`${JSON.stringify({ level, time: Date.now(), service: 'backup', ...fields, msg })}\n`);
};
const log: ServiceLog = { info: line('info'), error: line('error') };
