import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';

export interface TestRedis {
  url: string;
  port: number;
  /** Of the process that runs now. */
  pid(): number;
  /** Ends the server, waits, and starts it again on the same port with the same files. */
  restart(
    downMs: number,
    how?: { signal?: NodeJS.Signals; whileDown?: (directory: string) => Promise<void> },
  ): Promise<void>;
  /** No file of the server may grow beyond this, as on a disk that is full; null lifts it. */
  limitFiles(bytes: number | null): void;
  /** Where its files lie. */
  directory: string;
  stop(): Promise<void>;
}

/** Whether this machine has a Redis. Suites that need one are skipped by name without it. */
export function hasRedis(): boolean {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Starts a Redis of the suite's own with the queue's settings: `noeviction`, append-only file. */
export async function startRedis(flags: readonly string[] = []): Promise<TestRedis> {
  const directory = await mkdtemp(join(tmpdir(), 'ballast-test-redis-'));
  const port = await freePort();
  const settings = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', directory, '--save', ''];
  const durable = ['--appendonly', 'yes', '--appendfsync', 'everysec', '--maxmemory-policy', 'noeviction'];
  const start = async () => {
    // A file at its limit must fail the write, as a full disk does; unless it is ignored, a signal ends the server.
    const script = 'trap "" XFSZ; exec redis-server "$@"';
    const server = spawn('sh', ['-c', script, 'redis-server', ...settings, ...durable, ...flags], { stdio: 'ignore' });
    const exited = new Promise<void>((resolve) => server.once('exit', () => resolve()));
    await untilListening(port, server.pid, exited);
    return { server, exited };
  };
  let running = await start();
  const end = async (signal: NodeJS.Signals) => {
    running.server.kill(signal);
    await running.exited;
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    pid: () => running.server.pid ?? 0,
    directory,
    limitFiles(bytes) {
      const limit = bytes === null ? 'unlimited' : String(bytes);
      execFileSync('prlimit', [`--fsize=${limit}:`, '--pid', String(running.server.pid)]);
    },
    async restart(downMs, { signal = 'SIGTERM', whileDown = async () => {} } = {}) {
      await end(signal);
      await whileDown(directory);
      await new Promise((resolve) => setTimeout(resolve, downMs));
      running = await start();
    },
    async stop() {
      await end('SIGKILL');
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function untilListening(port: number, pid: number | undefined, exited: Promise<void>): Promise<void> {
  let gone = false;
  void exited.then(() => {
    gone = true;
  });
  for (let tries = 0; tries < 600 && !gone; tries++) {
    const listener = await listenerOn(port);
    if (listener === pid || listener === 'refuses') return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`redis-server did not listen on port ${port}.`);
}

/**
 * Which process answers there: another may have taken the port meanwhile, and then this server ends. `refuses` is one that
 * tells nothing without a password, or to so many clients; null is nobody.
 */
async function listenerOn(port: number): Promise<number | 'refuses' | null> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' }, () => socket.write('INFO server\r\n'));
    const tell = (listener: number | 'refuses' | null) => {
      socket.destroy();
      resolve(listener);
    };
    let said = '';
    socket.on('data', (data) => {
      said += data;
      const id = /process_id:(\d+)\r/.exec(said)?.[1];
      if (id) tell(Number(id));
      else if (said.startsWith('-')) tell('refuses');
    });
    socket.once('error', () => tell(null)).once('close', () => tell(null));
    // A stranger may be no Redis, and say nothing.
    socket.setTimeout(5_000, () => tell(null));
  });
}
