import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { closestName } from '@ballast/kernel';
import { readValue } from '@ballast/settings/read-value';
import { type Answer, type LocalCommand, UsageError } from '../command.ts';
import { program } from '../output/program.ts';
import { otherFiles, type Secret, secrets } from './catalogue.ts';
import { folderOf, folderOption } from './folder-option.ts';
import { secretNames, writeSecret } from './secret-files.ts';

export const rotate: LocalCommand = {
  name: 'rotate',
  summary: 'Replaces a secret by a new one.',
  details:
    'auth_secret and encryption_keys change in two steps, each with a roll after it, since replicas with the former key and\n' +
    'with the next one run beside each other: first every replica accepts the next key, then (--promote) it is used. What\n' +
    'the former one signed or sealed stays valid. Passwords change at once: start everything again that uses them, right after.',
  argument: { name: 'NAME', description: "the file's name, such as auth_secret" },
  options: { ...folderOption, promote: { description: 'the second step: the key that every replica accepts is used' } },
  async act(given, surroundings) {
    const folder = folderOf(given, surroundings);
    const name = nameOf(given.argument ?? '', folder);
    const promotes = given.options.promote !== undefined;
    const { renew, overlap } = secrets[name] ?? otherFiles;
    if (typeof renew !== 'function') return nothing(name, renew.by);
    if (promotes && !overlap) return nothing(name, `${name} changes in one step: leave --promote out.`);
    const current = readValue(name.toUpperCase(), { env: {}, secretsDirectory: folder });
    if (!current) return nothing(name, `${join(folder, name)} does not exist: ${program} secrets init`);
    if ('problem' in current) return nothing(name, `${join(folder, name)} ${current.problem}.`);
    if (overlap) return (promotes ? promote : accept)({ folder, name, current: current.value, renew, overlap });
    writeSecret(join(folder, name), renew(current.value), 0o600);
    return { text: `${join(folder, name)} is new.`, data: { name, changed: true }, note: after(name), ok: true };
  },
};

interface Step {
  folder: string;
  name: string;
  current: string;
  renew: (current: string) => string;
  overlap: NonNullable<Secret['overlap']>;
}

/** Goes on where it was interrupted, and makes no second key beside one that waits. */
function accept({ folder, name, current, renew, overlap }: Step): Answer {
  const known = valueIn(folder, `${name}_next`);
  if (known !== null && overlap.accepts((each) => valueIn(folder, each), known)) {
    return nothing(name, `The next ${name} is accepted already and not used yet.\n${rollThenPromote(name)}`);
  }
  const next = known ?? renew(current);
  const ends = name === 'auth_secret' && known === null && valueIn(folder, 'auth_secret_previous') !== null;
  writeSecret(join(folder, `${name}_next`), next, 0o600);
  write(folder, overlap.accept(current, next));
  return {
    text: `The next ${name} is made. With the next roll it is accepted, and used by nobody yet.`,
    data: { name, changed: true, step: 'accepted' },
    note: [
      ...(ends ? ['What the key before the present one signed is worth nothing from then on.'] : []),
      rollThenPromote(name),
    ].join('\n'),
    ok: true,
  };
}

function promote({ folder, name, current, overlap }: Step): Answer {
  const next = valueIn(folder, `${name}_next`);
  if (next === null || !overlap.accepts((each) => valueIn(folder, each), next)) {
    return nothing(name, `No next ${name} is accepted yet. First, and then a roll: ${program} secrets rotate ${name}`);
  }
  write(folder, overlap.promote(current, next));
  rmSync(join(folder, `${name}_next`));
  return {
    text: `${join(folder, name)} is new.`,
    data: { name, changed: true, step: 'promoted' },
    note: `${promoted[name]} Now: ${roll}${name === 'auth_secret' ? `\n${endOfOverlap}` : ''}`,
    ok: true,
  };
}

function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(files)) writeSecret(join(folder, name), value, 0o600);
}

function valueIn(folder: string, name: string): string | null {
  const found = readValue(name.toUpperCase(), { env: {}, secretsDirectory: folder });
  return found && 'value' in found ? found.value : null;
}

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

/** Both give out the secrets first, and replace replicas while they serve. */
const roll = 'deploy/roll.sh (on Swarm: deploy/stack.sh)';

const rollThenPromote = (name: string) =>
  `Now: ${roll}\nWhen it has ended well, and not before: ${program} secrets rotate ${name} --promote`;

const promoted: Readonly<Record<string, string>> = {
  auth_secret: 'The former key is in auth_secret_previous: sessions and links stay valid.',
  encryption_keys: 'New values are sealed by the new key, all keys open.',
};

const endOfOverlap =
  'Delete auth_secret_previous when sessions that nobody used since have ended (after 30 days), and roll again.';

/** What a profile adds may not run. */
const optional = ['pooler', 'backup'];

function after(name: string): string {
  if (name === 'next_server_actions_encryption_key') {
    return `Now: ${roll}\nWhat a page of a replica with the other key hands to its actions is refused: tabs that are open have to reload.`;
  }
  const { for: holders, derived = {} } = secrets[name] ?? otherFiles;
  const all = [...new Set([...Object.keys(derived), ...holders])].sort((one, other) => order(one) - order(other));
  const sure = all.filter((holder) => !optional.includes(holder)).join(' ');
  const perhaps = all.filter((holder) => optional.includes(holder)).map((holder) => ` (and ${holder}, where it runs)`);
  const again = `docker compose up -d --force-recreate ${sure}${perhaps.join('')}, or on Swarm: deploy/stack.sh`;
  if (!holders.includes('migrate') || name === 'redis_queue_url') return `Now, at once: ${again}`;
  return `The role gets it with the next migration; from then on nobody connects with the former one. Now, at once: ${again}`;
}

/** A server before those who ask it, the migration before those whose passwords it sets. */
const order = (holder: string) => (holder.startsWith('redis') ? 0 : holder === 'migrate' ? 1 : 2);
