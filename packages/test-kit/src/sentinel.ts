import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from './free-port.ts';

export interface Sentinels {
  /** `redis-sentinel://…`, for REDIS_QUEUE_URL. */
  url: string;
  replica: { port: number; pid: number };
  /** The port of the server that the sentinels call the primary. */
  primaryPort(): Promise<number>;
  stop(): Promise<void>;
}

const name = 'queue';

/** A replica of the Redis on `primaryPort`, and three sentinels that watch both. Resolves when they know each other. */
export async function startSentinels(primaryPort: number): Promise<Sentinels> {
  const directory = await mkdtemp(join(tmpdir(), 'ballast-test-sentinel-'));
  const processes: ReturnType<typeof spawn>[] = [];
  const run = (...args: string[]) => {
    const child = spawn('redis-server', args, { stdio: 'ignore', cwd: directory });
    processes.push(child);
    return child;
  };
  const replicaPort = await freePort();
  const of = ['--port', `${replicaPort}`, '--bind', '127.0.0.1', '--dir', directory, '--save', ''];
  const replica = run(...of, '--appendonly', 'yes', '--replicaof', '127.0.0.1', `${primaryPort}`);
  const ports = await Promise.all([freePort(), freePort(), freePort()]);
  for (const port of ports) {
    const file = join(directory, `sentinel-${port}.conf`);
    await writeFile(
      file,
      [
        `port ${port}`,
        'bind 127.0.0.1',
        `sentinel monitor ${name} 127.0.0.1 ${primaryPort} 2`,
        `sentinel down-after-milliseconds ${name} 2000`,
        `sentinel failover-timeout ${name} 10000`,
        '',
      ].join('\n'),
    );
    run(file, '--sentinel');
  }
  const asked = new Redis({ port: ports[0] as number, host: '127.0.0.1', retryStrategy: () => 200 });
  asked.on('error', () => {});
  const masterField = async (field: string) => {
    const fields = (await asked.call('SENTINEL', 'MASTER', name)) as string[];
    return fields[fields.indexOf(field) + 1];
  };
  for (let tries = 0; ; tries++) {
    const known = [await masterField('num-slaves'), await masterField('num-other-sentinels')].join();
    if (known === '1,2') break;
    if (tries === 200) throw new Error(`The sentinels know ${known} of 1 replica and 2 others.`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  // One that finds that its machine stood still for two seconds trusts itself for half a minute in nothing.
  for (const port of ports) {
    const sentinel = new Redis({ port, host: '127.0.0.1' });
    await sentinel.call('SENTINEL', 'DEBUG', 'tilt-period', '1000');
    sentinel.disconnect();
  }
  return {
    url: `redis-sentinel://${ports.map((port) => `127.0.0.1:${port}`).join()}/${name}?db=0`,
    replica: { port: replicaPort, pid: replica.pid ?? 0 },
    async primaryPort() {
      const [, port] = (await asked.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name)) as [string, string];
      return Number(port);
    },
    async stop() {
      asked.disconnect();
      const ended = processes.map((child) => new Promise((resolve) => child.once('exit', resolve)));
      for (const child of processes) child.kill('SIGKILL');
      await Promise.all(ended);
      await rm(directory, { recursive: true, force: true });
    },
  };
}
