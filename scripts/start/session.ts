import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Children, openChildren } from './children.ts';
import { type Environments, environments, type Mode, toldOf } from './environment.ts';
import { requireFreePorts, type WantedPort } from './ports.ts';
import { type DatabaseUrls, prepareDatabase } from './postgres/prepare-database.ts';
import { type Keeper, startKeeper } from './postgres/start-keeper.ts';
import { readRecord, removeRecord, takeFolder, writeRecord } from './run-record.ts';
import { readSettings, root, type Settings } from './settings.ts';
import { asProblem, StartProblem } from './start-problem.ts';
import { seconds, step } from './steps.ts';
import { waitUntilReady } from './wait-until-ready.ts';

export interface Session {
  settings: Settings;
  children: Children;
  env: Environments;
  /** Aborted when the session ends. */
  ended: AbortSignal;
  ready(name: string, url: string): Promise<void>;
}

/**
 * Holds the data folder, Postgres and the inbox while `work` starts the rest, and until
 * Ctrl-C; then ends everything in order: what serves, the inbox, Postgres.
 */
export async function session(mode: Mode, work: (session: Session) => Promise<void>): Promise<never> {
  const ending = new AbortController();
  onRequestToStop((why) => ending.abort({ why }));
  const problems: string[] = [];
  let data = '';
  let close = async () => {};
  try {
    const settings = readSettings(process.env);
    data = settings.data;
    mkdirSync(settings.logs, { recursive: true });
    const record = await takeFolder(data, settings.publicUrl);
    const children = openChildren({
      ...settings,
      onChange(running) {
        record.children = running;
        // Gone with the end of the run: writing it again would leave it behind.
        if (readRecord(data)) writeRecord(data, record);
      },
      onDeath: (death) => ending.abort(death),
    });
    let keeper: Keeper | undefined;
    const open = async () => {
      await requireFreePorts(wantedPorts(settings));
      if (!settings.smtpUrl) startInbox(settings, children);
      const urls = await step('postgres', settings.databaseUrl ? 'as given in DATABASE_URL' : 'embedded', async () => {
        keeper = await startKeeper(settings, record, ending);
        return keeper.adminUrl ? await prepareDatabase(keeper.adminUrl, data) : givenUrls(settings);
      });
      const ready = (name: string, url: string) =>
        waitUntilReady(name, url, join(settings.logs, `${name}.log`), ending.signal);
      const env = environments(settings, mode, urls, process.env);
      record.told = toldOf(env.api, process.env);
      writeRecord(data, record);
      const opened: Session = { settings, children, env, ended: ending.signal, ready };
      if (!settings.smtpUrl) await inboxReady(opened);
      await work(opened);
    };
    const opening = open();
    close = async () => {
      await children.stop(['web', 'api', 'worker']);
      await children.close();
      await opening.catch(() => {});
      await keeper?.stop();
      removeRecord(data);
    };
    await Promise.race([opening.then(() => aborted(ending.signal)), aborted(ending.signal)]);
  } catch (error) {
    // A step that Ctrl-C or another's death cut short failed for no reason of its own.
    if (!ending.signal.aborted) problems.push(sentenceOf(error, data));
  }
  const { reason } = ending.signal;
  if (typeof reason === 'string') problems.push(reason);
  ending.abort();
  if (problems.length > 0) process.stderr.write(`\n  ${problems.join('\n  ')}\n\n`);
  else process.stdout.write(`\n  Stopping${reason?.why ? ` (${reason.why})` : ''} …`);
  const started = Date.now();
  await close().catch((error) => problems.push(sentenceOf(error, data)));
  if (problems.length === 0) process.stdout.write(` stopped in ${seconds(Date.now() - started)}.\n`);
  process.exit(problems.length > 0 ? 1 : 0);
}

function sentenceOf(error: unknown, data: string): string {
  const problem = asProblem(error, data);
  return problem instanceof StartProblem ? problem.message : ((problem as Error)?.stack ?? String(problem));
}

/** It boots while Postgres does. */
function startInbox(settings: Settings, children: Children): void {
  const folder = join(settings.data, 'mail');
  mkdirSync(folder, { recursive: true });
  const args = [join(root, 'apps/inbox/src/main.ts'), `${settings.smtpPort}`, `${settings.inboxPort}`, folder];
  children.start({ name: 'inbox', args, env: { PATH: process.env.PATH, TMPDIR: process.env.TMPDIR } }, 'errors');
}

async function inboxReady({ settings, ready }: Session): Promise<void> {
  const url = `http://127.0.0.1:${settings.inboxPort}/api/email`;
  await step('inbox', 'takes mail for every address', () => ready('inbox', url));
}

function wantedPorts(settings: Settings): WantedPort[] {
  const wanted = [
    { port: settings.webPort, use: 'the web app', variable: 'WEB_PORT' },
    { port: settings.apiPort, use: 'the API', variable: 'API_PORT' },
    { port: settings.workerPort, use: "the worker's health", variable: 'WORKER_PORT' },
    { port: settings.metricsPort, use: "the API's metrics", variable: 'METRICS_PORT' },
  ];
  if (!settings.smtpUrl) {
    wanted.push({ port: settings.inboxPort, use: 'the inbox', variable: 'INBOX_PORT' });
    wanted.push({ port: settings.smtpPort, use: 'incoming mail', variable: 'SMTP_PORT' });
  }
  if (!settings.databaseUrl && settings.postgresPort) {
    wanted.push({ port: settings.postgresPort, use: 'Postgres', variable: 'POSTGRES_PORT' });
  }
  return wanted;
}

function givenUrls({ databaseUrl, databaseDispatcherUrl, databaseOwnerUrl }: Settings): DatabaseUrls {
  return { app: databaseUrl ?? '', dispatcher: databaseDispatcherUrl ?? '', owner: databaseOwnerUrl ?? '' };
}

/** Ctrl-C, a polite kill, a closed terminal, and the death of the process that started this one. */
function onRequestToStop(end: (why: string) => void): void {
  process.on('SIGINT', () => end(''));
  process.on('SIGTERM', () => end('asked by SIGTERM'));
  process.on('SIGHUP', () => end('the terminal was closed'));
  process.once('disconnect', () => end('npm is gone'));
  // Whoever closed the terminal will not read the rest.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  // A timer, because a pending promise alone does not keep Node running.
  const alive = setInterval(() => {}, 60_000);
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => {
      clearInterval(alive);
      resolve();
    });
  });
}
