import { join } from 'node:path';
import type { LocalCommand } from '../command.ts';
import { table } from '../output/table.ts';
import { aboutOf, secrets } from './catalogue.ts';
import { checkSecrets } from './check-secrets.ts';
import { folderOf, folderOption } from './folder-option.ts';
import { secretNames, writeSecret } from './secret-files.ts';

export const init: LocalCommand = {
  name: 'init',
  summary: 'Makes the secrets of an installation that are not there yet.',
  details:
    'Each is a file that only its owner may read. What is there already is kept. Addresses name the servers of the\n' +
    'Compose file; write others into the files to use servers of your own.',
  options: folderOption,
  async act(given, surroundings) {
    const folder = folderOf(given, surroundings);
    const made = makeMissing(folder);
    const rows = Object.entries(secrets)
      .filter(([, { optional }]) => !optional)
      .map(([name, { make }]) => ({
        name,
        state: made.includes(name) ? 'made' : make || secretNames(folder).includes(name) ? 'kept' : 'yours to give',
        about: aboutOf(name),
      }));
    const columns = [
      { title: folder, value: ({ name }: (typeof rows)[number]) => name },
      { title: '', value: ({ state }: (typeof rows)[number]) => state },
      { title: '', value: ({ about }: (typeof rows)[number]) => about },
    ];
    const { problems } = checkSecrets(folder, { complete: true, closed: true });
    return {
      text: table(rows, columns),
      data: { folder, made, problems },
      ok: true,
      ...(problems.length > 0 ? { note: ['', 'Before you start:', ...problems].join('\n') } : {}),
    };
  },
};

/** Makes what has a recipe and no file. Returns its names. */
export function makeMissing(folder: string): string[] {
  const there = secretNames(folder);
  const missing = Object.entries(secrets).filter(([name]) => !there.includes(name));
  return missing.flatMap(([name, { make }]) => {
    if (!make) return [];
    writeSecret(join(folder, name), make(), 0o600);
    return [name];
  });
}
