import { createHash, randomBytes } from 'node:crypto';
import { roles } from '@ballast/db/roles';
import { settings } from '../../../apps/api/src/config/settings.ts';
import { program } from '../output/program.ts';

/** Who of the Compose stack is handed files; each gets what it needs and nothing else. */
export const holders = [
  'postgres',
  'redis-cache',
  'redis-queue',
  'pooler',
  'migrate',
  'api',
  'worker',
  'web',
  'backup',
  'grafana',
] as const;
export type Holder = (typeof holders)[number];

/**
 * How one key follows another: `accept` has it accepted and used by nobody, `promote` has it used. Each tells the files that it
 * changes, in their order: whoever starts between two writes is at worst where it was before them.
 */
export interface Overlap {
  accept(current: string, next: string): Record<string, string>;
  promote(current: string, next: string): Record<string, string>;
  /** Whether `accept` is done, by the files as they are. */
  accepts(values: (name: string) => string | null, next: string): boolean;
}

/** One file of `secrets/`. Its name is the setting's, in lower case. */
export interface Secret {
  /** A value for a new installation; without it, somebody else gives it. */
  make?: () => string;
  /** What it is, when it is no setting of ours. */
  about?: string;
  /** Missing is fine. */
  optional?: true;
  /** Certificates, one after another, for a program that reads the file itself. */
  certificates?: true;
  /** The login that an address must have. */
  username?: string;
  /** What a replacement is made of; without it the sentence says what to do instead. */
  renew: ((current: string) => string) | { by: string };
  /** Several replicas use it at once: each has to know the next one before any uses it. */
  overlap?: Overlap;
  /** Who gets it as it is. */
  for: readonly Holder[];
  /** Who gets something that was made from it, and under which name. */
  derived?: Partial<Record<Holder, { file: string; from: (value: string) => string }>>;
}

/** Safe in an address as it is. */
const password = () => randomBytes(24).toString('base64url');
const key = () => randomBytes(32).toString('base64url');
const base64Key = () => randomBytes(32).toString('base64');
const encryptionKey = () => `${new Date().toISOString().slice(0, 10)}-${randomBytes(4).toString('hex')}:${key()}`;

function address(base: string, username: string): { make: () => string; renew: (current: string) => string } {
  return {
    make: () => withPassword(base.replace('//', `//${username}@`)),
    renew: withPassword,
  };
}

function withPassword(address: string): string {
  const url = new URL(address);
  url.password = password();
  return url.href;
}

/** The bundled servers' addresses; whoever brings a server of their own writes its address into the file. */
const postgres = (role: string, database = 'ballast') => ({
  ...address(`postgres://postgres:5432/${database}`, role),
  username: role,
});

/** Redis keeps a hash, and so does the folder that its container sees. `health` may only ask whether it lives. */
const accessList = (address: string) => {
  const hash = createHash('sha256')
    .update(decodeURIComponent(new URL(address).password))
    .digest('hex');
  return [`user default on #${hash} ~* &* +@all`, 'user health on nopass resetkeys resetchannels -@all +ping'].join(
    '\n',
  );
};
const accessListFile = { file: 'users.acl', from: accessList };

/** PgBouncer logs its clients in by it, and itself at Postgres: as the app, and as identity with the app's password. */
const userList = (address: string) => {
  const password = decodeURIComponent(new URL(address).password).replaceAll('"', '""');
  return [roles.app, roles.auth].map((role) => `"${role}" "${password}"`).join('\n');
};

/** Remembers the next key while it is accepted and not used yet. Nobody is given it under this name. */
function nextOf(name: string): Secret {
  return {
    optional: true,
    renew: { by: `It is part of replacing ${name}: ${program} secrets rotate ${name} --promote` },
    for: [],
  };
}

export const secrets: Readonly<Record<string, Secret>> = {
  auth_secret: {
    make: key,
    renew: key,
    // What is called the previous key is accepted and signs nothing, and that is what the next one needs first.
    overlap: {
      accept: (_, next) => ({ auth_secret_previous: next }),
      promote: (current, next) => ({ auth_secret_previous: current, auth_secret: next }),
      accepts: (values, next) => values('auth_secret_previous') === next,
    },
    for: ['api', 'worker'],
  },
  auth_secret_previous: {
    optional: true,
    renew: { by: 'Rotate auth_secret: its former value is kept under this name. Delete the file to end the overlap.' },
    for: ['api', 'worker'],
  },
  auth_secret_next: nextOf('auth_secret'),
  encryption_keys: {
    make: encryptionKey,
    renew: encryptionKey,
    // The first seals, all open: what is sealed already stays readable.
    overlap: {
      accept: (current, next) => ({ encryption_keys: `${current},${next}` }),
      promote: (current, next) => ({
        encryption_keys: [next, ...current.split(',').filter((each) => each !== next)].join(','),
      }),
      accepts: (values, next) => (values('encryption_keys') ?? '').split(',').includes(next),
    },
    for: ['api', 'worker'],
  },
  encryption_keys_next: nextOf('encryption_keys'),
  next_server_actions_encryption_key: {
    about: 'Encrypts what a page hands its server actions (32 bytes in base64); the same on every replica of the web.',
    make: base64Key,
    renew: base64Key,
    for: ['web'],
  },
  database_admin_url: {
    ...postgres('postgres', 'postgres'),
    renew: {
      by:
        "Postgres keeps the superuser's password itself. Set it there (docker compose exec postgres psql -U postgres, " +
        'then \\password), and write it into this file.',
    },
    for: ['migrate'],
    derived: { postgres: { file: 'postgres_password', from: (url) => decodeURIComponent(new URL(url).password) } },
  },
  database_owner_url: { ...postgres(roles.owner), for: ['migrate'] },
  database_url: {
    ...postgres(roles.app),
    for: ['api', 'worker', 'migrate'],
    derived: { pooler: { file: 'userlist.txt', from: userList } },
  },
  database_dispatcher_url: { ...postgres(roles.dispatcher), for: ['worker', 'migrate'] },
  database_backup_url: { ...postgres(roles.backup), for: ['backup', 'migrate'] },
  backup_key: {
    make: key,
    renew: {
      by:
        'What was encrypted with it cannot be read with another. Take the service backup down, move its repository away ' +
        'and keep the old key with it, write the new key into this file, and start the service: it takes a full backup.',
    },
    for: ['backup'],
  },
  pgbackrest_repo1_s3_key: {
    optional: true,
    renew: { by: 'The provider of the object store gives it. Write the new one into this file.' },
    for: ['backup'],
  },
  pgbackrest_repo1_s3_key_secret: {
    optional: true,
    renew: { by: 'The provider of the object store gives it. Write the new one into this file.' },
    for: ['backup'],
  },
  pgbackrest_repo1_storage_ca: {
    optional: true,
    certificates: true,
    about: 'Who signed the certificate of an object store of your own, in PEM.',
    renew: { by: 'Whoever runs the object store has it. Write the new one into this file.' },
    for: ['backup'],
  },
  redis_url: {
    ...address('redis://redis-cache:6379', 'default'),
    for: ['api', 'worker', 'web'],
    derived: { 'redis-cache': accessListFile },
  },
  redis_queue_url: {
    ...address('redis://redis-queue:6379', 'default'),
    for: ['api', 'worker', 'migrate'],
    derived: { 'redis-queue': accessListFile },
  },
  grafana_admin_password: {
    about: "Grafana's admin, at its first start.",
    make: password,
    renew: {
      by:
        'Grafana keeps it itself. Set it there (docker compose exec grafana grafana cli admin reset-admin-password), ' +
        'and write it into this file.',
    },
    for: ['grafana'],
  },
  smtp_url: {
    renew: { by: 'Your mail provider gives it. Write the new one into this file.' },
    for: ['api', 'worker'],
  },
};

/** Any other file is a setting of a module, or one that somebody prefers to keep in a file. */
export const otherFiles: Secret = {
  optional: true,
  renew: { by: 'Write the new value into this file.' },
  for: ['api', 'worker'],
};

export function aboutOf(name: string): string {
  const setting = (settings as Partial<Record<string, { description: string }>>)[name.toUpperCase()];
  return secrets[name]?.about ?? setting?.description ?? '';
}
