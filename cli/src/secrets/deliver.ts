import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { LocalCommand } from '../command.ts';
import { type Holder, holders, otherFiles, secrets } from './catalogue.ts';
import { checkSecrets } from './check-secrets.ts';
import { makeMissing } from './init.ts';
import { secretNames, writeSecret } from './secret-files.ts';

export const deliver: LocalCommand = {
  name: 'deliver',
  summary: 'Gives each service of the Compose file the secrets that it needs, in a folder of its own.',
  details:
    "The Compose file's first step. Every service sees only its own folder, as /run/secrets, whoever owns the files that\n" +
    'they come from. Without --from, the secrets of a laptop are made in FOLDER/source, once.',
  argument: { name: 'FOLDER', description: 'where the folders are written' },
  options: { from: { value: 'FOLDER', description: 'the secrets; nothing is made, and all have to be there' } },
  async act({ argument = '', options }, { root }) {
    const target = resolve(root, argument);
    const from = options.from === undefined ? join(target, 'source') : resolve(root, options.from);
    const made = options.from === undefined ? makeMissing(from) : [];
    // Ownership and modes of what is mounted from a host mean little in here.
    const { values, problems } = checkSecrets(from, { complete: options.from !== undefined, closed: false });
    if (problems.length > 0) {
      return { text: problems.join('\n'), data: { made, problems }, ok: false };
    }
    for (const holder of holders) fill(join(target, holder), filesFor(holder, values));
    const text = `${values.size} secrets${made.length > 0 ? `, ${made.length} of them new,` : ''} for ${holders.join(', ')}.`;
    return { text, data: { made, problems }, ok: true };
  },
};

function filesFor(holder: Holder, values: ReadonlyMap<string, string>): Map<string, string> {
  const files = new Map<string, string>();
  for (const [name, value] of values) {
    const secret = secrets[name] ?? otherFiles;
    if (secret.for.includes(holder)) files.set(name, value);
    const derived = secret.derived?.[holder];
    if (derived) files.set(derived.file, derived.from(value));
  }
  return files;
}

/** Readable by all who see the folder, since each service runs as a user of its own: who sees it is decided by the mounts. */
function fill(folder: string, files: ReadonlyMap<string, string>): void {
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  for (const [name, value] of files) writeSecret(join(folder, name), value, 0o444);
  for (const name of secretNames(folder)) if (!files.has(name)) rmSync(join(folder, name), { recursive: true });
}
