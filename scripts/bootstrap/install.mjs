import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { explainInstall } from './explain-install.mjs';
import { installStamp, writeStamp } from './install-stamp.mjs';
import { dataDirectory, pnpmSpec, root } from './places.mjs';

/** Installs from the lockfile through `npx pnpm`, quietly: the full output is in the log. */
export async function install() {
  const started = Date.now();
  const stamp = installStamp();
  const log = join(dataDirectory, 'log', 'install.log');
  openLog(log);
  const label = `  install     ${'packages of the lockfile (once, about a minute)'.padEnd(48)} `;
  if (process.stdout.isTTY) process.stdout.write(`${label.trimEnd()} …`);
  const line = (end) => process.stdout.write(`${process.stdout.isTTY ? '\r\x1b[2K' : ''}${label}${end}\n`);
  const code = await runPnpm(['install', '--frozen-lockfile', '--reporter=append-only'], log);
  if (code !== 0) {
    line('failed');
    throw new Error(explainInstall(readFileSync(log, 'utf8'), relative(root, log)));
  }
  writeStamp(stamp);
  line(`${((Date.now() - started) / 1000).toFixed(1)} s`);
}

function openLog(log) {
  try {
    mkdirSync(join(dataDirectory, 'log'), { recursive: true });
    closeSync(openSync(log, 'w'));
  } catch (error) {
    throw new Error(
      `Ballast keeps its data in ${dataDirectory}, and may not write there (${error.code}). ` +
        'Give this user the folder (chown), or set BALLAST_DATA to another one.',
    );
  }
}

function runPnpm(args, log) {
  const output = openSync(log, 'a');
  const child = spawn('npx', ['--yes', pnpmSpec, ...args], {
    cwd: root,
    stdio: ['ignore', output, output],
    shell: process.platform === 'win32',
    env: { ...withoutNpm(process.env), ...patience, CI: 'true' },
  });
  const stop = () => child.kill('SIGTERM');
  process.once('SIGTERM', stop);
  return new Promise((resolve, reject) => {
    child.once('error', (error) =>
      reject(new Error(`npx did not start (${error.code}). It comes with npm: install Node with npm.`)),
    );
    child.once('exit', (code) => {
      process.off('SIGTERM', stop);
      closeSync(output);
      resolve(code ?? 1);
    });
  });
}

// Without a network, the defaults retry for minutes before they say so.
const patience = Object.fromEntries(
  ['npm_config', 'pnpm_config'].flatMap((prefix) => [
    [`${prefix}_fetch_retries`, '2'],
    [`${prefix}_fetch_retry_mintimeout`, '1000'],
    [`${prefix}_fetch_retry_maxtimeout`, '4000'],
  ]),
);

/** npm hands its own settings to its scripts; pnpm would read `omit` and `production` among them. */
function withoutNpm(env) {
  return Object.fromEntries(
    Object.entries(env).filter(
      ([name]) => !/^(npm_(lifecycle|package|command|execpath|node_execpath)|NODE_ENV$|INIT_CWD$)/.test(name),
    ),
  );
}
