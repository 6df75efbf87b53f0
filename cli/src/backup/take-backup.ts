import { type BackupKind, type KnownBackup, listBackups, pgbackrest } from './pgbackrest.ts';
import type { BackupSettings } from './settings.ts';

/**
 * Takes a base backup, and drops what is too old by the retention. Without a full one
 * before it, it is full. Returns what was taken.
 */
export async function takeBackup(settings: BackupSettings, kind: BackupKind): Promise<KnownBackup> {
  // Says the same as before when it is repeated.
  await pgbackrest(settings, 'stanza-create');
  await pgbackrest(settings, 'backup', [`--type=${kind}`]);
  const taken = (await listBackups(settings)).at(-1);
  if (!taken) throw new Error('pgBackRest took a backup and lists none.');
  return taken;
}
