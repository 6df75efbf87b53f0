import { execFileSync, type SpawnOptions, spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { StartProblem } from '../start-problem.ts';

/** Under whom Postgres runs: it refuses to run as root. */
export interface Account {
  uid: number;
  gid: number;
  /** Enters folders that are closed to it, such as a checkout below /root. */
  privileged: boolean;
}

/** Undefined when this process is no root: then Postgres simply runs as the same user. */
export function accountFor(directory: string, mustReach: readonly string[]): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const ids = ownerOf(directory) ?? idsOf('postgres') ?? createUser();
  if (mustReach.every((path) => reaches(ids, path))) return { ...ids, privileged: false };
  if (spawnSync('setpriv', ['--version']).status === 0) return { ...ids, privileged: true };
  throw new StartProblem(
    `Postgres cannot run as root, and its user may not enter ${mustReach[0]}. ` +
      'Move the checkout to a folder that others may enter (such as /srv), or start as another user.',
  );
}

/** What to spawn so that the command runs under the account. The process number stays the same. */
export function under(
  account: Account | undefined,
  command: string,
  args: readonly string[],
): { command: string; args: readonly string[]; options: SpawnOptions } {
  if (!account) return { command, args, options: {} };
  const { uid, gid } = account;
  if (!account.privileged) return { command, args, options: { uid, gid } };
  // Without no_setuid_fixup, access(2) ignores the capability, and Postgres asks it about its own binary.
  const privileges = [
    `--reuid=${uid}`,
    `--regid=${gid}`,
    '--clear-groups',
    '--inh-caps=-all,+dac_override',
    '--ambient-caps=-all,+dac_override',
    '--securebits=+no_setuid_fixup',
  ];
  return { command: 'setpriv', args: [...privileges, command, ...args], options: {} };
}

/** Data that exists stays with its owner, who may be another one than `postgres`. */
function ownerOf(directory: string): { uid: number; gid: number } | undefined {
  const found = statSync(directory, { throwIfNoEntry: false });
  return found && found.uid !== 0 ? { uid: found.uid, gid: found.gid } : undefined;
}

function idsOf(user: string): { uid: number; gid: number } | undefined {
  try {
    const id = (flag: string) => Number(execFileSync('id', [flag, user], { encoding: 'utf8', stdio: 'pipe' }));
    return { uid: id('-u'), gid: id('-g') };
  } catch {
    return undefined;
  }
}

function createUser(): { uid: number; gid: number } {
  const made = spawnSync('useradd', ['--system', '--user-group', '--no-create-home', 'postgres']);
  const ids = made.status === 0 ? idsOf('postgres') : undefined;
  if (ids) return ids;
  throw new StartProblem(
    'Postgres cannot run as root, and this system has no user `postgres`. ' +
      'Add one (useradd --system postgres), start as another user, or set DATABASE_URL.',
  );
}

function reaches({ uid, gid }: { uid: number; gid: number }, path: string): boolean {
  return spawnSync('/bin/sh', ['-c', 'test -x "$1"', 'sh', path], { uid, gid, cwd: '/' }).status === 0;
}
