import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Where a setting may come from. */
export interface Sources {
  env: Readonly<Record<string, string | undefined>>;
  /** Docker's and Swarm's place for secrets. */
  secretsDirectory: string;
}

/** A value and where it was found, or why it cannot be used. `origin` is a name to show, never a value. */
export type Found = { origin: string; value: string } | { origin: string; problem: string } | null;

const maxBytes = 64 * 1024;

/** Looks in the secrets directory, then in the file that `NAME_FILE` names, then in the environment. */
export function readValue(name: string, sources: Sources): Found {
  const secret = secretFile(name, sources.secretsDirectory);
  if (secret) return readFileValue(secret, secret);
  const pointer = sources.env[`${name}_FILE`];
  if (pointer !== undefined) {
    if (pointer.trim() === '')
      return { origin: `${name}_FILE`, problem: 'is set but empty; name a file, or remove it' };
    return readFileValue(pointer, `${name}_FILE (${pointer})`);
  }
  const value = sources.env[name];
  return value === undefined ? null : checked(name, value);
}

function secretFile(name: string, directory: string): string | null {
  const names = listed(directory);
  const found = [name, name.toLowerCase()].find((candidate) => names.includes(candidate));
  return found === undefined ? null : join(directory, found);
}

/** The files of the secrets directory. Most machines have none. */
export function listed(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** A secrets directory that is there and may not be read would look like one without secrets. */
export function directoryProblem(directory: string): string | null {
  try {
    readdirSync(directory);
    return null;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? null : `${directory} ${unreadable[code ?? ''] ?? 'cannot be read'}.`;
  }
}

function readFileValue(path: string, origin: string): Found {
  let bytes: Buffer;
  try {
    if (statSync(path).isDirectory()) {
      return { origin, problem: 'is a directory; Docker makes one when the file to mount does not exist' };
    }
    bytes = readStart(path);
  } catch (error) {
    return { origin, problem: unreadable[(error as NodeJS.ErrnoException).code ?? ''] ?? 'cannot be read' };
  }
  if (bytes.length > maxBytes) return { origin, problem: 'is larger than 64 KiB' };
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    return { origin, problem: 'begins with a byte order mark; save it as UTF-8 without BOM' };
  }
  try {
    return checked(origin, new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return { origin, problem: 'is not UTF-8 text' };
  }
}

/** Bounded, so that a device or a wrong mount cannot fill the memory. */
function readStart(path: string): Buffer {
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(maxBytes + 1);
    return buffer.subarray(0, readSync(file, buffer, 0, buffer.length, 0));
  } finally {
    closeSync(file);
  }
}

const unreadable: Record<string, string> = {
  ENOENT: 'does not exist',
  EACCES: "cannot be read: this process's user may not open it",
  ENOTDIR: 'is not a directory, or lies in none',
};

function checked(origin: string, raw: string): Found {
  // Editors and `echo` end a file with a newline; nobody means it as part of a secret.
  const value = raw.replace(/(\r?\n)+$/, '');
  if (value.trim() === '') return { origin, problem: 'is set but empty; give it a value, or remove it' };
  if (/[\r\n]/.test(value)) return { origin, problem: 'has a line break inside' };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (/[\u0000-\u0008\u000b-\u001f\u007f\ufeff]/.test(value))
    return { origin, problem: 'has a control character inside' };
  if (value !== value.trim()) return { origin, problem: 'begins or ends with a space' };
  return { origin, value };
}
