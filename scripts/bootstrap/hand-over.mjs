import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { nodeBinary, pnpmSpec, root } from './places.mjs';

/** Runs the script on the pinned Node, passes signals on, and answers with its exit code. */
export async function handOver(script, args) {
  if (!existsSync(script)) throw new Error(`${script} is missing: the checkout is incomplete.`);
  const child = spawn(nodeBinary, [script, ...args], {
    cwd: root,
    // The IPC channel is how the script notices that this process was killed.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: {
      ...process.env,
      NODE: nodeBinary,
      PATH: [dirname(nodeBinary), pnpmFolder(), process.env.PATH].join(delimiter),
    },
  });
  const pass = (signal) => child.kill(signal);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, pass);
  const orphaned = watchParents(() => child.kill('SIGTERM'));
  return await new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new Error(`The pinned Node did not start: ${error.message}`)));
    child.once('exit', (code, signal) => {
      clearInterval(orphaned);
      resolve(code ?? (signal === 'SIGINT' ? 130 : 143));
    });
  });
}

/** npm that is killed cannot pass a signal on, and the shell between goes on without it: both are watched. */
function watchParents(gone) {
  if (process.env.npm_lifecycle_event === undefined) return undefined;
  const [parent, grandparent] = [process.ppid, parentOf(process.ppid)];
  const timer = setInterval(() => {
    const now = process.ppid === parent ? parentOf(parent) : 1;
    // Nothing learned is no reason to stop.
    if (now === undefined || now === grandparent) return;
    clearInterval(timer);
    gone();
  }, 1000);
  timer.unref();
  return timer;
}

function parentOf(pid) {
  if (process.platform === 'win32') return undefined;
  try {
    if (process.platform !== 'linux') return Number(execFileSync('ps', ['-o', 'ppid=', '-p', String(pid)]));
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
}

/** A folder with a `pnpm` for the scripts to call, on machines that have none. */
function pnpmFolder() {
  const folder = join(root, 'node_modules/.ballast-bin');
  const files = { pnpm: `#!/bin/sh\nexec npx --yes ${pnpmSpec} "$@"\n`, 'pnpm.cmd': `@npx --yes ${pnpmSpec} %*\r\n` };
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    const file = join(folder, name);
    if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileSync(file, text, { mode: 0o755 });
  }
  return folder;
}
