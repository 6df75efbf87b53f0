import { join } from 'node:path';
import { closestName } from '@ballast/kernel';
import { readValue } from '@ballast/settings/read-value';
import { type Answer, type LocalCommand, UsageError } from '../command.ts';
import { otherFiles, secrets } from './catalogue.ts';
import { folderOf, folderOption } from './folder-option.ts';
import { secretNames, writeSecret } from './secret-files.ts';

export const rotate: LocalCommand = {
  name: 'rotate',
  summary: 'Replaces a secret by a new one.',
  details:
    'Keys overlap: what the former auth_secret signed, and what any of the encryption_keys sealed, stays valid.\n' +
    'Passwords change at once: start everything again that uses them, right after.',
  argument: { name: 'NAME', description: "the file's name, such as auth_secret" },
  options: folderOption,
  async act(given, surroundings) {
    const folder = folderOf(given, surroundings);
    const name = nameOf(given.argument ?? '', folder);
    const file = join(folder, name);
    const { renew } = secrets[name] ?? otherFiles;
    if (typeof renew !== 'function') return nothing(name, renew.by);
    const current = readValue(name.toUpperCase(), { env: {}, secretsDirectory: folder });
    if (!current) return nothing(name, `${file} does not exist: pnpm ballast secrets init`);
    if ('problem' in current) return nothing(name, `${file} ${current.problem}.`);
    const next = renew(current.value);
    // First the overlap: whoever reads between the two writes finds the key that still signs.
    if (name === 'auth_secret') writeSecret(join(folder, 'auth_secret_previous'), current.value, 0o600);
    writeSecret(file, next, 0o600);
    return { text: `${file} is new.`, data: { name, changed: true }, note: after(name), ok: true };
  },
};

function nameOf(typed: string, folder: string): string {
  const known = [...new Set([...Object.keys(secrets), ...secretNames(folder)])];
  const name = typed.toLowerCase();
  if (known.includes(name)) return name;
  const near = closestName(name, known);
  throw new UsageError(
    near ? `unknown secret ${typed}, did you mean ${near}?` : `unknown secret ${typed}; known: ${known.join(', ')}.`,
  );
}

const nothing = (name: string, note: string): Answer => ({ text: '', data: { name, changed: false }, note, ok: false });

function after(name: string): string {
  const again = 'docker compose -f docker-compose.yml -f docker-compose.prod.yml up -d --force-recreate';
  if (name === 'auth_secret') {
    return (
      `The former key is in auth_secret_previous: sessions and links stay valid. Now: ${again} api worker\n` +
      'Delete auth_secret_previous when sessions that nobody used since have ended (after 30 days).'
    );
  }
  if (name === 'encryption_keys')
    return `New values are sealed by the new key, all keys open. Now: ${again} api worker`;
  if (name === 'next_server_actions_encryption_key') {
    return `Now: ${again} web\nWhat a page handed to its actions before that is refused: tabs that are open have to reload.`;
  }
  if (name === 'redis_url') return `Now, at once: ${again} redis-cache api worker web`;
  if (name === 'redis_queue_url') return `Now, at once: ${again} redis-queue api worker`;
  const holders = name === 'database_url' ? 'migrate api worker (and pooler, where it runs)' : 'migrate api worker';
  return `The role gets it with the next migration. Now, at once: ${again} ${holders}`;
}
