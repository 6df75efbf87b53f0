import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Reads the secret of that name, or makes it once: a file that only its owner may read. */
export function secretFile(data: string, name: string, make: () => string = password): { file: string; value: string } {
  const folder = join(data, 'secrets');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, name);
  const kept = readSecret(file);
  if (kept) return { file, value: kept };
  const value = make();
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${value}\n`, { mode: 0o600 });
  chmodSync(draft, 0o600);
  renameSync(draft, file);
  return { file, value };
}

function readSecret(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim() || undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** One key by the name of `local`, in the form of ENCRYPTION_KEYS. */
export const encryptionKeys = () => `local:${randomBytes(32).toString('base64url')}`;

/** As Next wants the key of server actions. */
export const base64Key = () => randomBytes(32).toString('base64');

/** Safe in a URL as it is. */
const password = () => randomBytes(24).toString('base64url');
