import { chmodSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The names of a folder's files; none when there is no folder. Hidden files are nobody's secrets. */
export function secretNames(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => !name.startsWith('.'))
      .sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Writes all of it or nothing, so that nobody ever reads half a secret. */
export function writeSecret(file: string, value: string, mode: number): void {
  mkdirSync(dirname(file), { recursive: true, mode: mode & 0o044 ? 0o755 : 0o700 });
  const draft = join(dirname(file), `.${process.pid}.draft`);
  rmSync(draft, { force: true });
  writeFileSync(draft, `${value}\n`, { mode, flag: 'wx' });
  // Whatever the process's mask left of it.
  chmodSync(draft, mode);
  renameSync(draft, file);
}

/** What a file's permissions let others do, or null. */
export function openToOthers(file: string): string | null {
  const mode = statSync(file).mode & 0o777;
  return (mode & 0o077) === 0 ? null : mode.toString(8).padStart(3, '0');
}
