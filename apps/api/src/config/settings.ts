import { defaultRequestMs } from '@ballast/db/limits';
import type { Setting } from '@ballast/kernel';
import { z } from 'zod';
import {
  hours,
  keyRing,
  milliseconds,
  namedValues,
  origin,
  poolerUrl,
  port,
  postgresUrl,
  queueRedisUrl,
  redisUrl,
  yesOrNo,
} from './forms.ts';

/** What the processes read, whichever modules are on. A development value is never used in production. */
export const settings = {
  NODE_ENV: {
    schema: z.enum(['development', 'production', 'test']).default('development'),
    description: "Node's own switch; it also makes production the default of BALLAST_ENV.",
  },
  BALLAST_ENV: {
    schema: z.enum(['local', 'production'], 'must be local or production').optional(),
    description: 'production refuses placeholder secrets and development values.',
  },
  PUBLIC_URL: {
    schema: origin,
    description: 'The origin that browsers use.',
    development: 'http://localhost:3000',
  },
  API_HOST: { schema: z.string().default('127.0.0.1'), description: 'The address that the API listens on.' },
  API_PORT: { schema: port.default(3001), description: 'The port that the API listens on.' },
  WORKER_HOST: {
    schema: z.string().default('127.0.0.1'),
    description: "The address of the worker's liveness, readiness and metrics.",
  },
  WORKER_PORT: { schema: port.default(3002), description: "The port of the worker's liveness, readiness and metrics." },
  METRICS_HOST: { schema: z.string().default('127.0.0.1'), description: 'The address of METRICS_PORT.' },
  METRICS_PORT: {
    schema: port.optional(),
    description:
      "The port of the API that the public must not reach: metrics for Prometheus, and what Caddy asks. Unset, they are not served; the worker's are on WORKER_PORT.",
  },
  DATABASE_URL: {
    schema: postgresUrl,
    description: 'Postgres as ballast_app: owns nothing, cannot bypass row-level security.',
    secret: true,
  },
  DATABASE_DISPATCHER_URL: {
    schema: postgresUrl.optional(),
    description: 'Postgres as ballast_dispatcher: the jobs tables only. Needed by whatever consumes jobs.',
    secret: true,
  },
  DATABASE_OWNER_URL: {
    schema: postgresUrl,
    description: 'Postgres as ballast_owner: migrations only.',
    secret: true,
  },
  DATABASE_ADMIN_URL: {
    schema: postgresUrl.optional(),
    description: 'Postgres as its superuser: where it is given, the migration first makes the roles and the database.',
    secret: true,
  },
  DATABASE_BACKUP_URL: {
    schema: postgresUrl.optional(),
    description: 'Postgres as ballast_backup: reads everything, for backups.',
    secret: true,
  },
  BACKUP_KEY: {
    schema: z.string().min(32, 'must have at least 32 characters'),
    description: 'Encrypts the backups. Keep a copy where the backups are not: without it they are worth nothing.',
    secret: true,
  },
  BACKUP_REPOSITORY: {
    schema: z.string().default('/var/lib/pgbackrest'),
    description: 'The folder that backups are written to. Another kind of place: PGBACKREST_REPO1_TYPE and the like.',
  },
  BACKUP_SPOOL: {
    schema: z.string().default('/var/run/postgresql/pgbackrest'),
    description: "Where Postgres' archive_command leaves its WAL for the backups.",
  },
  BACKUP_SCRATCH: {
    schema: z.string().default('/var/lib/pgbackrest/scratch'),
    description: 'The folder that drills restore into. Needs room for the whole database.',
  },
  BACKUP_KEEP_DAYS: {
    schema: z.coerce.number('must be a number').int('must be a whole number').min(1).max(9_999).default(14),
    description: 'Every moment of so many days can be restored.',
  },
  BACKUP_EVERY_HOURS: { schema: hours.default(24), description: 'How old the newest backup becomes.' },
  BACKUP_FULL_EVERY_HOURS: {
    schema: hours.default(168),
    description: 'How old the newest full backup becomes; those between hold what changed since.',
  },
  BACKUP_DRILL_EVERY_HOURS: { schema: hours.default(24), description: 'How long a proven restore counts.' },
  PGDATA: { schema: z.string().default('/var/lib/postgresql/18/docker'), description: "Postgres' data." },
  PGHOST: { schema: z.string().default('/var/run/postgresql'), description: "The folder of Postgres' socket." },
  PGPORT: { schema: port.default(5432), description: "The port in the name of Postgres' socket." },
  PGDATABASE: { schema: z.string().default('ballast'), description: 'The database that knows of its backups.' },
  DATABASE_POOLER: {
    schema: poolerUrl.optional(),
    description:
      "Where PgBouncer listens in transaction mode, such as postgres://pooler:6432: the API's requests go through it, " +
      'everything else goes to DATABASE_URL itself.',
  },
  DATABASE_POOL_SIZE: {
    schema: z.coerce.number('must be a number').int().min(2).max(200).default(10),
    description: 'Connections of the main pool, per process.',
  },
  REDIS_QUEUE_URL: {
    schema: queueRedisUrl.optional(),
    description: "The queue's Redis. Without it BullMQ runs on Postgres.",
    secret: true,
  },
  REDIS_URL: {
    schema: redisUrl.optional(),
    description: "The cache's Redis. Without it limits are counted per process.",
    secret: true,
  },
  DISABLE_BACKGROUND_WORKERS: {
    schema: yesOrNo.default(false),
    description: 'true when workers run as processes of their own.',
  },
  AUTH_SECRET: {
    schema: z.string().min(32, 'must have at least 32 characters'),
    description: 'Signs sessions and links.',
    secret: true,
  },
  AUTH_SECRET_PREVIOUS: {
    schema: z.string().min(32, 'must have at least 32 characters').optional(),
    description: 'The key before AUTH_SECRET: what it signed stays valid while it is here.',
    secret: true,
  },
  ENCRYPTION_KEYS: {
    schema: keyRing.optional(),
    description:
      'Seals what must not be readable in the database, such as secret fields of jobs: id:key, or several separated by ' +
      'commas. Each key is 32 random bytes in base64. The first seals; all open.',
    secret: true,
  },
  SMTP_URL: {
    schema: z.url({ protocol: /^smtps?$/, message: 'must be smtp://user:password@host:port' }),
    description: 'Where mail is handed over.',
    secret: true,
    development: 'smtp://127.0.0.1:1025',
  },
  MAIL_FROM: {
    schema: z
      .string()
      .regex(/^[^\r\n<>]*<?[^\s@<>]+@[^\s@<>]+>?$/, 'must be an address, such as Acme <hello@acme.com>'),
    description: 'The sender of all mail.',
    development: 'Ballast <hello@ballast.localhost>',
  },
  TRUSTED_PROXY_HOPS: {
    schema: z.coerce.number('must be a number').int('must be a whole number').min(0).max(10).default(0),
    description: 'Proxies in front of the API. The client is that many entries from the right of X-Forwarded-For.',
  },
  SHUTDOWN_GRACE_MS: {
    schema: milliseconds.default(10_000),
    description: 'How long requests and jobs under way may take to finish.',
  },
  SHUTDOWN_DELAY_MS: {
    schema: milliseconds.default(0),
    description:
      'How long a process that was told to stop says so on /readyz and serves on, before it refuses connections: long ' +
      'enough for the balancer in front to look elsewhere.',
  },
  REQUEST_TIMEOUT_MS: {
    schema: milliseconds.min(100).default(defaultRequestMs),
    description: 'After this a request is answered with 504.',
  },
  BODY_LIMIT_BYTES: {
    schema: z.coerce.number('must be a number').int().min(1_024).max(104_857_600).default(1_048_576),
    description: 'Larger bodies are refused with 413.',
  },
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    schema: z.url({ protocol: /^https?$/, message: 'must be an address such as http://collector:4318' }).optional(),
    description: 'Where traces are sent, as OTLP over HTTP; /v1/traces is appended. Without it none are made.',
  },
  OTEL_EXPORTER_OTLP_HEADERS: {
    schema: namedValues.optional(),
    description: "Headers for the traces' receiver, such as api-key=…, separated by commas.",
    secret: true,
  },
  OTEL_RESOURCE_ATTRIBUTES: {
    schema: namedValues.optional(),
    description: 'What traces say of this installation, such as deployment.environment.name=staging.',
  },
  OTEL_TRACES_SAMPLER_ARG: {
    schema: z.coerce.number('must be a number').min(0, 'must be from 0 to 1').max(1, 'must be from 0 to 1').default(1),
    description: 'The share of traces that are kept, from 0 to 1. Jobs follow what their request decided.',
  },
  TRUSTED_TRACEPARENT: {
    schema: yesOrNo.default(false),
    description:
      "true when the proxy in front removes callers' traceparent and sets its own: then requests go on in its trace. " +
      'Otherwise each request begins a trace, with a link to what the caller sent.',
  },
  LOG_LEVEL: {
    schema: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
    description: 'The least important line that is written.',
  },
} as const satisfies Record<string, Setting>;

const always = ['NODE_ENV', 'BALLAST_ENV', 'LOG_LEVEL', 'REDIS_QUEUE_URL', 'SHUTDOWN_GRACE_MS'] as const;
const serving = [
  ...always,
  'PUBLIC_URL',
  'DATABASE_URL',
  'DATABASE_DISPATCHER_URL',
  'DATABASE_POOL_SIZE',
  'REDIS_URL',
  'AUTH_SECRET',
  'ENCRYPTION_KEYS',
  'AUTH_SECRET_PREVIOUS',
  'SMTP_URL',
  'MAIL_FROM',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_HEADERS',
  'OTEL_RESOURCE_ATTRIBUTES',
  'OTEL_TRACES_SAMPLER_ARG',
] as const;

const answering = [
  'API_HOST',
  'API_PORT',
  'METRICS_HOST',
  'METRICS_PORT',
  'DISABLE_BACKGROUND_WORKERS',
  'TRUSTED_PROXY_HOPS',
  'TRUSTED_TRACEPARENT',
  'DATABASE_POOLER',
  'SHUTDOWN_DELAY_MS',
  'REQUEST_TIMEOUT_MS',
  'BODY_LIMIT_BYTES',
] as const;
const probed = ['WORKER_HOST', 'WORKER_PORT'] as const;

/** Which process reads which: one that does not need a secret is not to hold it. */
export const namesOf = {
  api: [...serving, ...answering],
  worker: [...serving, ...probed],
  /** It runs where one of the two runs, and looks at what they were given. */
  doctor: [...serving, ...answering, ...probed],
  migrate: [...always, 'DATABASE_OWNER_URL', 'DATABASE_ADMIN_URL'],
  /** What a migration does first when it holds the superuser's login: it takes each role's password from its login. */
  preparation: [
    ...always,
    'DATABASE_ADMIN_URL',
    'DATABASE_OWNER_URL',
    'DATABASE_URL',
    'DATABASE_DISPATCHER_URL',
    'DATABASE_BACKUP_URL',
    'REQUEST_TIMEOUT_MS',
  ],
  /** What runs beside Postgres, and talks to it over its socket. */
  backup: [
    ...always,
    'BACKUP_KEY',
    'BACKUP_REPOSITORY',
    'BACKUP_SPOOL',
    'BACKUP_SCRATCH',
    'BACKUP_KEEP_DAYS',
    'BACKUP_EVERY_HOURS',
    'BACKUP_FULL_EVERY_HOURS',
    'BACKUP_DRILL_EVERY_HOURS',
    'PGDATA',
    'PGHOST',
    'PGPORT',
    'PGDATABASE',
  ],
} as const;

export type Process = keyof typeof namesOf;
export type Values<P extends Process> = {
  [Name in (typeof namesOf)[P][number]]: z.output<(typeof settings)[Name]['schema']>;
};
