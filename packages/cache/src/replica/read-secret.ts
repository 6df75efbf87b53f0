import { readFileSync } from 'node:fs';

/** As the API's settings: the file of that name in the secrets directory, then `NAME_FILE`, then the environment. */
export function readSecret(
  name: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
  directory = '/run/secrets',
): string | null {
  const file = `${directory}/${name.toLowerCase()}`;
  const delivered = contentOf(file, true);
  if (delivered !== null) return checked(file, delivered);
  const pointer = env[`${name}_FILE`];
  if (pointer) return checked(`${name}_FILE (${pointer})`, contentOf(pointer, false) ?? '');
  return env[name] === undefined ? null : checked(name, env[name]);
}

function contentOf(file: string, mayBeMissing: boolean): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (mayBeMissing && code === 'ENOENT') return null;
    throw new Error(`${file} ${code === 'EISDIR' ? 'is a directory' : `cannot be read (${code})`}.`);
  }
}

function checked(origin: string, raw: string): string {
  const value = raw.replace(/(\r?\n)+$/, '');
  if (value.trim() === '') throw new Error(`${origin} is set but empty; give it a value, or remove it.`);
  return value;
}
