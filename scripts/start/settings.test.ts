import { expect, test } from 'vitest';
import { settings as knownSettings } from '../../apps/api/src/config/settings.ts';
import { environments } from './environment.ts';
import { readSettings, root } from './settings.ts';

test('without any variable, everything is embedded and on the documented ports', () => {
  expect(readSettings({})).toMatchObject({
    data: `${root}/.ballast`,
    webPort: 3000,
    apiPort: 3001,
    workerPort: 3002,
    metricsPort: 3003,
    inboxPort: 1080,
    smtpPort: 1025,
    publicUrl: 'http://localhost:3000',
    databaseUrl: undefined,
    smtpUrl: undefined,
  });
});

test('WEB_PORT wins over PORT, and the public address follows', () => {
  expect(readSettings({ PORT: '4000' }).webPort).toBe(4000);
  expect(readSettings({ PORT: '4000', WEB_PORT: '5000' }).publicUrl).toBe('http://localhost:5000');
});

test.each(['abc', '0', '65536', '3000.5', '-1'])('a port that is no port is refused by name: %s', (value) => {
  expect(() => readSettings({ API_PORT: value })).toThrow(`API_PORT is "${value}"`);
});

test('a given database needs the logins of the worker and of the migrations too', () => {
  expect(() => readSettings({ DATABASE_URL: 'postgres://x' })).toThrow(
    'DATABASE_DISPATCHER_URL and DATABASE_OWNER_URL',
  );
});

test('each process gets only the secrets that it needs', () => {
  const settings = readSettings({ SMTP_URL: 'smtp://mail' });
  const given = {
    PATH: '/bin',
    HOSTNAME: 'laptop',
    SMTP_URL: 'smtp://mail',
    AUTH_SECRET: 'a',
    ENCRYPTION_KEYS_FILE: 'keys',
    OTEL_EXPORTER_OTLP_HEADERS: 'api-key=k',
    DATABASE_OWNER_URL: 'given',
    REDIS_QUEUE_URL: 'redis://queue',
  };
  const urls = { app: 'app', dispatcher: 'dispatcher', owner: 'owner' };
  const env = environments(settings, 'production', urls, given);
  expect(env.api).toMatchObject({ DATABASE_URL: 'app', AUTH_SECRET: 'a', DISABLE_BACKGROUND_WORKERS: 'true' });
  expect(env.worker).toMatchObject({ ENCRYPTION_KEYS_FILE: 'keys', OTEL_EXPORTER_OTLP_HEADERS: 'api-key=k' });
  expect(env.api).not.toHaveProperty('DATABASE_OWNER_URL');
  expect(env.api).not.toHaveProperty('DATABASE_DISPATCHER_URL');
  expect(env.worker).toMatchObject({ DATABASE_DISPATCHER_URL: 'dispatcher', REDIS_QUEUE_URL: 'redis://queue' });
  expect(env.migrate).toMatchObject({ DATABASE_OWNER_URL: 'owner' });
  expect(env.migrate).not.toHaveProperty('AUTH_SECRET');
  expect(Object.keys(env.web).filter((name) => /DATABASE|SECRET|KEYS|HEADERS|SMTP|REDIS/.test(name))).toEqual([
    'REDIS_URL',
  ]);
  expect(env.web.HOSTNAME).toBe('127.0.0.1');
  expect(env.web.PATH).toBe('/bin');
});

test('no secret of any setting reaches a process that was not meant to have it, nor does the file that holds it', () => {
  const secret = Object.entries(knownSettings).flatMap(([name, setting]) => ('secret' in setting ? [name] : []));
  expect(secret).toEqual(expect.arrayContaining(['DATABASE_ADMIN_URL', 'DATABASE_BACKUP_URL', 'BACKUP_KEY']));
  const given = Object.fromEntries(secret.flatMap((name) => [name, `${name}_FILE`]).map((name) => [name, 'given']));
  const urls = { app: 'app', dispatcher: 'dispatcher', owner: 'owner' };
  const env = environments(readSettings(given), 'production', urls, given);
  const holds = (process: Record<string, string | undefined>) =>
    secret.filter((name) => process[name] === 'given' || process[`${name}_FILE`] === 'given');
  expect(holds(env.web)).toEqual(['REDIS_URL']);
  expect(holds(env.migrate)).toEqual(['REDIS_QUEUE_URL']);
  const serving = [
    'REDIS_QUEUE_URL',
    'REDIS_URL',
    'AUTH_SECRET',
    'AUTH_SECRET_PREVIOUS',
    'ENCRYPTION_KEYS',
    'SMTP_URL',
    'OTEL_EXPORTER_OTLP_HEADERS',
  ];
  expect(holds(env.api)).toEqual(serving);
  expect(holds(env.worker)).toEqual(serving);
});
