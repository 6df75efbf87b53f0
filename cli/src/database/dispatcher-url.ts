import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { roles } from '@ballast/db/roles';
import { readValue } from '@ballast/settings/read-value';

export interface Surroundings {
  /** The checkout. */
  root: string;
  env: Readonly<Record<string, string | undefined>>;
  secretsDirectory: string;
}

/** An address, and how to name its origin; or why there is none. */
export type FoundUrl = { url: string; origin: string } | { problem: string };

/** The address that is configured, or else the Postgres of a Ballast that `npm start` runs in this checkout. */
export function dispatcherUrl(surroundings: Surroundings): FoundUrl {
  const given = readValue('DATABASE_DISPATCHER_URL', surroundings);
  if (given && 'problem' in given) return { problem: `${given.origin} ${given.problem}.` };
  if (given) {
    const right = URL.canParse(given.value) && /^postgres(ql)?:$/.test(new URL(given.value).protocol);
    if (right) return { url: given.value, origin: given.origin };
    return { problem: `${given.origin} must be postgres://user:password@host/database.` };
  }
  const data = dataFolder(surroundings);
  const url = embeddedUrl(data, 'dispatcher');
  if (url !== null) return { url, origin: `the Postgres of npm start (${data})` };
  return {
    problem: `DATABASE_DISPATCHER_URL is missing, and no Ballast runs on ${data}: set it to Postgres as ${roles.dispatcher}, or run npm start.`,
  };
}

/** Where `npm start` keeps its data. */
export function dataFolder({ root, env }: Surroundings): string {
  return resolve(root, env.BALLAST_DATA || '.ballast');
}

/** The Postgres that `npm start` runs on this folder, under one of its logins; null when none runs. */
export function embeddedUrl(data: string, login: 'app' | 'dispatcher'): string | null {
  const port = embeddedPort(data);
  const password = firstLine(join(data, `secrets/database_${login}`));
  if (port === null || password === null) return null;
  const url = new URL(`postgres://127.0.0.1:${port}/ballast`);
  url.username = roles[login];
  url.password = password;
  return url.href;
}

/** Postgres writes its process and its port into its folder while it runs. */
function embeddedPort(data: string): number | null {
  const lines = read(join(data, 'postgres/postmaster.pid'))?.split('\n') ?? [];
  const [pid, port] = [Number(lines[0]), Number(lines[3])];
  return pid > 0 && port > 0 && isAlive(pid) ? port : null;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Another user's process may not be signalled, and lives.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function firstLine(file: string): string | null {
  return read(file)?.split('\n')[0]?.trim() || null;
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
