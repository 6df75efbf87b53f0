import { settings as knownSettings } from '../../apps/api/src/config/settings.ts';
import type { DatabaseUrls } from './postgres/prepare-database.ts';
import type { Told } from './run-record.ts';
import { base64Key, encryptionKeys, secretFile } from './secrets.ts';
import type { Settings } from './settings.ts';

export type Mode = 'production' | 'development';
export type Environment = Record<string, string | undefined>;

export interface Environments {
  api: Environment;
  worker: Environment;
  migrate: Environment;
  web: Environment;
}

/** Next's name for it. */
const actionsKey = 'NEXT_SERVER_ACTIONS_ENCRYPTION_KEY';

/** What each process is told. Each gets only the secrets that it needs: only migrations hold the owner's login. */
export function environments(settings: Settings, mode: Mode, urls: DatabaseUrls, given: Environment): Environments {
  const base = { ...withoutSecrets(given), NODE_ENV: mode, BALLAST_ENV: given.BALLAST_ENV ?? 'local' };
  const server = {
    ...base,
    ...keys(settings, given),
    REDIS_URL: given.REDIS_URL,
    REDIS_QUEUE_URL: given.REDIS_QUEUE_URL,
    OTEL_EXPORTER_OTLP_HEADERS: given.OTEL_EXPORTER_OTLP_HEADERS,
    OTEL_EXPORTER_OTLP_HEADERS_FILE: given.OTEL_EXPORTER_OTLP_HEADERS_FILE,
    PUBLIC_URL: settings.publicUrl,
    API_HOST: '127.0.0.1',
    API_PORT: String(settings.apiPort),
    WORKER_PORT: String(settings.workerPort),
    DATABASE_URL: urls.app,
    SMTP_URL: settings.smtpUrl ?? `smtp://127.0.0.1:${settings.smtpPort}`,
    SHUTDOWN_GRACE_MS: String(settings.graceMs),
    // The web app's proxy stands between the browsers and the API.
    TRUSTED_PROXY_HOPS: given.TRUSTED_PROXY_HOPS ?? '1',
  };
  return {
    api: { ...server, METRICS_PORT: String(settings.metricsPort), DISABLE_BACKGROUND_WORKERS: 'true' },
    worker: { ...server, DATABASE_DISPATCHER_URL: urls.dispatcher },
    migrate: { ...base, DATABASE_OWNER_URL: urls.owner, REDIS_QUEUE_URL: given.REDIS_QUEUE_URL },
    web: {
      ...base,
      ...key(given, actionsKey, () => secretFile(settings.data, actionsKey.toLowerCase(), base64Key).file),
      REDIS_URL: given.REDIS_URL,
      PUBLIC_URL: settings.publicUrl,
      API_INTERNAL_URL: `http://127.0.0.1:${settings.apiPort}`,
      PORT: String(settings.webPort),
      // Shells export HOSTNAME as the machine's name; Next would listen there.
      HOSTNAME: '127.0.0.1',
      NEXT_TELEMETRY_DISABLED: '1',
      SHUTDOWN_GRACE_MS: String(settings.graceMs),
      // Those in front of the web app itself.
      TRUSTED_PROXY_HOPS: String(Math.max(0, Number(server.TRUSTED_PROXY_HOPS) - 1)),
    },
  };
}

/** Generated once per installation, handed over as files, so that no listing of processes shows them. */
function keys(settings: Settings, given: Environment): Environment {
  return {
    ...key(given, 'AUTH_SECRET', () => secretFile(settings.data, 'auth_secret').file),
    AUTH_SECRET_PREVIOUS: given.AUTH_SECRET_PREVIOUS,
    ...key(given, 'ENCRYPTION_KEYS', () => secretFile(settings.data, 'encryption_keys', encryptionKeys).file),
  };
}

function key(given: Environment, name: string, make: () => string): Environment {
  if (given[name]) return { [name]: given[name] };
  return { [`${name}_FILE`]: given[`${name}_FILE`] || make() };
}

/** What doctor needs to know of the API: every setting that is no secret, files that hold secrets, and who else was given. */
export function toldOf(api: Environment, given: Environment): Told {
  const names = [...shown, 'AUTH_SECRET_FILE', 'ENCRYPTION_KEYS_FILE'];
  const settings = Object.fromEntries(names.flatMap((name) => (api[name] === undefined ? [] : [[name, api[name]]])));
  const ownInbox = given.SMTP_URL === undefined || given.SMTP_URL === '';
  if (ownInbox && api.SMTP_URL !== undefined) settings.SMTP_URL = api.SMTP_URL;
  const secret = Object.keys(given).filter((name) => isSecret(name) && /_(URL|SECRET|KEYS)$/.test(name));
  return { settings, given: secret.filter((name) => given[name] !== '') };
}

const shown = [
  'NODE_ENV',
  'BALLAST_ENV',
  'PUBLIC_URL',
  'API_HOST',
  'API_PORT',
  'WORKER_PORT',
  'METRICS_PORT',
  'DISABLE_BACKGROUND_WORKERS',
];

/** As the settings say it themselves: a list beside them would miss the next one. Next's key is none of them. */
const secretNames = new Set([
  ...Object.entries(knownSettings).flatMap(([name, setting]) => ('secret' in setting ? [name] : [])),
  actionsKey,
]);

/** By itself, or as the file that holds it. */
const isSecret = (name: string) => secretNames.has(name.replace(/_FILE$/, ''));

function withoutSecrets(given: Environment): Environment {
  // What npm adds is about itself, and holds the whole package.json.
  const kept = (name: string) => !isSecret(name) && !/^npm_(lifecycle|package|command)/.test(name);
  return Object.fromEntries(Object.entries(given).filter(([name]) => kept(name)));
}
