import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@ballast/test-kit/free-port';
import { startRedis } from '@ballast/test-kit/redis';
import { buildApi } from '../../../scripts/start/build-api.ts';
import { buildWeb, webServer } from '../../../scripts/start/build-web.ts';
import { openChildren } from '../../../scripts/start/children.ts';
import { type Environments, environments } from '../../../scripts/start/environment.ts';
import { migrate } from '../../../scripts/start/migrate.ts';
import { prepareDatabase } from '../../../scripts/start/postgres/prepare-database.ts';
import { startKeeper } from '../../../scripts/start/postgres/start-keeper.ts';
import { removeRecord, takeFolder, writeRecord } from '../../../scripts/start/run-record.ts';
import { readSettings, root, type Settings } from '../../../scripts/start/settings.ts';
import { waitUntilReady } from '../../../scripts/start/wait-until-ready.ts';
import { openSmtpGate, type SmtpGate } from './smtp-gate.ts';

export interface System {
  webUrl: string;
  inboxUrl: string;
  /** Where the API looks for records of domains: nothing is there until a journey opens it. */
  resolverPort: number;
  /** Stands between the worker and the inbox. */
  gate: SmtpGate;
  killWorker(): Promise<void>;
  startWorker(): Promise<void>;
  stop(): Promise<void>;
}

/** What `npm start` runs, from the same parts, on free ports and in a folder of its own; its worker may be killed. */
export async function startSystem(queue: 'postgres' | 'redis'): Promise<System> {
  const data = mkdtempSync(join(tmpdir(), 'ballast-journeys-'));
  const settings = await freeSettings(data);
  const resolverPort = await freePort();
  await mkdir(settings.logs, { recursive: true });
  const redis = queue === 'redis' ? await startRedis() : undefined;
  const record = await takeFolder(data, settings.publicUrl);
  const ending = new AbortController();
  let expectedDeath = '';
  const children = openChildren({
    ...settings,
    onChange(running) {
      record.children = running;
      writeRecord(data, record);
    },
    onDeath(sentence) {
      if (!sentence.startsWith(expectedDeath || '\0')) process.stderr.write(`\n${sentence}\n`);
    },
  });
  const keeper = await startKeeper(settings, record, ending);
  const stop = async () => {
    await children.close();
    await keeper.stop();
    await redis?.stop();
    removeRecord(data);
    rmSync(data, { recursive: true, force: true });
  };
  try {
    const gate = await openSmtpGate(settings.smtpPort);
    const urls = await prepareDatabase(keeper.adminUrl ?? '', data);
    const given = {
      ...process.env,
      DOMAINS_RESOLVERS: `127.0.0.1:${resolverPort}`,
      ...(redis ? { REDIS_URL: redis.url, REDIS_QUEUE_URL: redis.url } : {}),
    };
    const env = throughGate(environments(settings, 'production', urls, given), gate);
    const ready = (name: string, port: number, path = '/readyz') =>
      waitUntilReady(name, `http://127.0.0.1:${port}${path}`, join(settings.logs, `${name}.log`), ending.signal);
    await buildApi({ children, env });
    await migrate({ children, env }, 'bundle');
    await buildWeb({ children, env });

    const bundle = (name: string) => join(root, 'apps/api/dist', `${name}.js`);
    const inbox = [
      join(root, 'apps/inbox/src/main.ts'),
      `${settings.smtpPort}`,
      `${settings.inboxPort}`,
      join(data, 'mail'),
    ];
    await mkdir(join(data, 'mail'));
    children.start({ name: 'inbox', args: inbox, env: process.env }, 'errors');
    children.start({ name: 'api', args: [bundle('main')], env: env.api }, 'errors');
    children.start({ name: 'web', args: [webServer], env: env.web }, 'errors');
    const startWorker = async () => {
      children.start({ name: 'worker', args: [bundle('workers-standalone')], env: env.worker }, 'errors');
      await ready('worker', settings.workerPort);
    };
    await startWorker();
    await ready('inbox', settings.inboxPort, '/api/email');
    await ready('api', settings.apiPort);
    await ready('web', settings.webPort);
    return {
      webUrl: settings.publicUrl,
      inboxUrl: `http://127.0.0.1:${settings.inboxPort}`,
      resolverPort,
      gate,
      async killWorker() {
        expectedDeath = 'worker ended';
        await children.kill('worker');
        expectedDeath = '';
      },
      startWorker,
      async stop() {
        gate.close();
        await stop();
      },
    };
  } catch (error) {
    const logs = await Promise.all(['api', 'worker', 'web', 'migrate'].map((name) => tail(settings, name)));
    await stop();
    throw new Error(`The system did not start: ${(error as Error).message}\n${logs.join('')}`, { cause: error });
  }
}

async function freeSettings(data: string): Promise<Settings> {
  const names = ['WEB_PORT', 'API_PORT', 'WORKER_PORT', 'METRICS_PORT', 'INBOX_PORT', 'SMTP_PORT'];
  const ports = await Promise.all(names.map(async (name) => [name, String(await freePort())] as const));
  return readSettings({ BALLAST_DATA: data, ...Object.fromEntries(ports) });
}

function throughGate(env: Environments, gate: SmtpGate): Environments {
  return { ...env, worker: { ...env.worker, SMTP_URL: `smtp://127.0.0.1:${gate.port}` } };
}

async function tail(settings: Settings, name: string): Promise<string> {
  const text = await readFile(join(settings.logs, `${name}.log`), 'utf8').catch(() => '');
  return text && `--- ${name}\n${text.slice(-3000)}\n`;
}
