import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../../../..');
const running: ChildProcess[] = [];

export interface Started {
  child: ChildProcess;
  /** Everything it has written so far. */
  said(): string;
  exited: Promise<number | null>;
}

/** Where Node keeps what it has compiled, where the run has such a place. It changes nothing but how long a start takes. */
const { NODE_COMPILE_CACHE } = process.env;
const compileCache = NODE_COMPILE_CACHE ? { NODE_COMPILE_CACHE } : {};

/** Starts one of the API's processes as it is started in development, with this environment and no other. */
export function start(entry: 'main' | 'workers-standalone' | 'migrate', env: Record<string, string>): Started {
  const child = spawn(process.execPath, ['--import', './scripts/tsx-hook.mjs', `apps/api/src/${entry}.ts`], {
    cwd: root,
    env: { PATH: process.env.PATH, ...compileCache, ...env },
  });
  running.push(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (data) => {
      text += data;
    });
  }
  // Not at its `exit`: what it wrote last may not have been read by then.
  return { child, said: () => text, exited: once(child, 'close').then(([code]) => code as number | null) };
}

/** Resolves to its origin once it wants traffic. */
export async function untilReady(port: string | undefined, started: Started, host = '127.0.0.1'): Promise<string> {
  const origin = `http://${host}:${port}`;
  for (let tries = 0; tries < 1_500; tries++) {
    const ready = await fetch(`${origin}/readyz`)
      .then((response) => response.ok)
      .catch(() => false);
    if (ready) return origin;
    await new Promise((next) => setTimeout(next, 100));
  }
  throw new Error(`never ready:\n${started.said()}`);
}

/** Ends what a test left running. */
export function killStarted(): void {
  for (const child of running.splice(0)) if (child.exitCode === null) child.kill('SIGKILL');
}
