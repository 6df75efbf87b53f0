import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { closestName } from '@ballast/kernel';
import { readValue } from '@ballast/settings/read-value';
import { isPlaceholder } from '../../../apps/api/src/config/placeholder.ts';
import { settings } from '../../../apps/api/src/config/settings.ts';
import { aboutOf, otherFiles, type Secret, secrets } from './catalogue.ts';
import { openToOthers, secretNames } from './secret-files.ts';

export interface Checked {
  /** The values that are right, by their files' names. */
  values: Map<string, string>;
  /** Sentences that name a file, and never a value. */
  problems: string[];
}

export interface Wanted {
  /** Whether what only others can give has to be there. */
  complete: boolean;
  /** Whether the files must be closed to others. */
  closed: boolean;
}

/** Reads a folder as the processes would, and says everything that is wrong in it at once. */
export function checkSecrets(folder: string, { complete, closed }: Wanted): Checked {
  const found = secretNames(folder);
  const values = new Map<string, string>();
  const problems: string[] = [];
  for (const name of new Set([...Object.keys(secrets), ...found])) {
    const secret = secrets[name] ?? otherFiles;
    const file = join(folder, name);
    if (!found.includes(name)) {
      if (!secret.optional && (complete || secret.make)) problems.push(missing(file, name, found));
      continue;
    }
    const read = secret.certificates
      ? readCertificates(file)
      : readValue(name.toUpperCase(), { env: {}, secretsDirectory: folder });
    const problem = !read ? 'cannot be read' : 'problem' in read ? read.problem : problemOf(name, secret, read.value);
    if (problem) problems.push(`${file} ${problem}.`);
    else if (read && 'value' in read) values.set(name, read.value);
    const mode = closed && !problem ? openToOthers(file) : null;
    if (mode) problems.push(`${file} may be read by others (mode ${mode}): chmod 600 ${file}`);
  }
  return { values, problems };
}

function problemOf(name: string, secret: Secret, value: string): string | null {
  const setting = (settings as Partial<Record<string, (typeof settings)[keyof typeof settings]>>)[name.toUpperCase()];
  const parsed = setting?.schema.safeParse(value);
  if (parsed && !parsed.success) return parsed.error.issues.map(({ message }) => message).join('; ');
  if (!secret.certificates && isPlaceholder(value)) return 'is a placeholder; give it a value of its own';
  if (secret.username && new URL(value).username !== secret.username) return `must log in as ${secret.username}`;
  if (secret.derived && new URL(value).password === '') return 'must have a password';
  return null;
}

/** A value has one line, and these have many. */
function readCertificates(file: string): { value: string } | { problem: string } {
  try {
    const value = readFileSync(file, 'utf8').trim();
    for (const [certificate] of value.matchAll(pem)) new X509Certificate(certificate);
    return value.replaceAll(pem, '').trim() === '' && value !== ''
      ? { value }
      : { problem: 'must hold certificates in PEM and nothing else' };
  } catch {
    return { problem: 'cannot be read, or holds what is no certificate in PEM' };
  }
}

const pem = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function missing(file: string, name: string, found: readonly string[]): string {
  const near = closestName(
    name,
    found.filter((other) => !(other in secrets)),
  );
  const hint = near ? ` There is ${near}; did you mean ${name}?` : '';
  return `${file} is missing: ${aboutOf(name)}${hint}`;
}
