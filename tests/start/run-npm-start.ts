import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '@ballast/test-kit/free-port';

export interface Ports {
  WEB_PORT: string;
  API_PORT: string;
  WORKER_PORT: string;
  METRICS_PORT: string;
  INBOX_PORT: string;
  SMTP_PORT: string;
}

export async function freePorts(): Promise<Ports> {
  const one = async () => String(await freePort());
  return {
    WEB_PORT: await one(),
    API_PORT: await one(),
    WORKER_PORT: await one(),
    METRICS_PORT: await one(),
    INBOX_PORT: await one(),
    SMTP_PORT: await one(),
  };
}

export interface Run {
  process: ChildProcess;
  said(): string;
  /** Resolves when it says the words; rejects with all that it said when it ends first. */
  says(words: string): Promise<void>;
  exitCode: Promise<number | null>;
  /** To npm and everything in its terminal's foreground, as Ctrl-C does. */
  signal(name: NodeJS.Signals): void;
}

export function npmStart(folder: string, env: Record<string, string>): Run {
  const child = spawn('npm', ['start'], {
    cwd: folder,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
  });
  let text = '';
  let ended = false;
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk));
  const exitCode = new Promise<number | null>((resolve) => {
    child.once('close', (code) => {
      ended = true;
      resolve(code);
    });
  });
  return {
    process: child,
    said: () => text,
    async says(words) {
      while (!text.includes(words)) {
        if (ended) throw new Error(`npm start ended before it said "${words}":\n${text}`);
        await sleep(50);
      }
    },
    exitCode,
    signal: (name) => process.kill(-(child.pid ?? 0), name),
  };
}

/** Every process that has the folder in its command line or its environment. */
export function processesOf(folder: string): string[] {
  if (!existsSync('/proc/self/environ')) {
    const all = execFileSync('ps', ['ax', '-o', 'pid=,args='], { encoding: 'utf8' });
    return all.split('\n').filter((line) => line.includes(folder));
  }
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((pid) => ({ pid, about: `${read(pid, 'cmdline')} ${read(pid, 'environ')}` }))
    .filter(({ about }) => about.includes(folder))
    .map(({ pid, about }) => `${pid} ${about.replaceAll('\0', ' ').slice(0, 200)}`);
}

function read(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

export async function noneLeft(folder: string, timeoutMs: number): Promise<string[]> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const left = processesOf(folder);
    if (left.length === 0 || Date.now() > deadline) return left;
    await sleep(100);
  }
}
