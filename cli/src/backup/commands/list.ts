import type { LocalCommand } from '../../command.ts';
import { table } from '../../output/table.ts';
import { answerOf } from '../backup-problem.ts';
import { type KnownBackup, listBackups } from '../pgbackrest.ts';
import { backupSettings } from '../settings.ts';
import { bytes } from './words.ts';

const moment = (seconds: number) => new Date(seconds * 1_000).toISOString().slice(0, 19).concat('Z');

export const list: LocalCommand = {
  name: 'list',
  summary: 'The backups that can be restored, the oldest first.',
  act: (_, surroundings) =>
    answerOf(async () => {
      const backups = await listBackups(backupSettings(surroundings));
      const [oldest] = backups;
      return {
        text: oldest
          ? table(backups, [
              { title: 'BACKUP', value: ({ label }: KnownBackup) => label },
              { title: 'KIND', value: ({ kind }) => kind },
              { title: 'TAKEN', value: ({ endedAt }) => moment(endedAt) },
              { title: 'DATA', value: ({ size }) => bytes(size), right: true },
              { title: 'STORED', value: ({ stored }) => bytes(stored), right: true },
              { title: '', value: ({ damaged }) => (damaged ? 'has damaged pages' : '') },
            ])
          : '',
        data: backups,
        note: oldest
          ? `Any moment since ${moment(oldest.endedAt)} can be restored.`
          : 'There is no backup yet. Take one: ballast backup --full',
        ok: oldest !== undefined,
      };
    }),
};
