import { readdirSync, readFileSync } from 'node:fs';
import { run } from './docker.ts';

/**
 * Three engines on this machine, each a host of its own, joined as managers of a Swarm. BALLAST_LAB_NODES names the
 * program that starts them: `up COUNT IMAGE…`, `cut N`, `down`. Node N has the address 10.77.0.N.
 */
export interface Nodes {
  engine: string;
  addressOf(node: number): string;
  /** Power and cable at once: nothing of it says farewell, neither its engine nor its containers. */
  lose(node: number): Promise<void>;
  end(): Promise<void>;
}

export async function startNodes(program: string, images: readonly string[]): Promise<Nodes> {
  const { stdout } = await run(program, ['up', '3', ...images]);
  const engine = stdout.match(/DOCKER_HOST=(\S+)/)?.[1] ?? '';
  // A cable from here to their switch; it goes with the switch.
  const cable = [
    'link add labhost type veth peer name vhost netns labsw',
    '-n labsw link set vhost master br0 up',
    'addr add 10.77.0.254/24 dev labhost',
    'link set labhost up',
  ];
  for (const words of cable) await run('ip', words.split(' '));
  return {
    engine,
    addressOf: (node) => `10.77.0.${node}`,
    async lose(node) {
      await run(program, ['cut', `${node}`]);
      for (const pid of processesOf(node)) kill(pid);
    },
    end: async () => void (await run(program, ['down', '--purge'], { mayFail: true })),
  };
}

/** The engine, what it started, and what is in its containers. */
function processesOf(node: number): number[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const [command, status] = [read(`/proc/${name}/cmdline`), read(`/proc/${name}/status`)];
      const parent = Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]);
      return [{ pid: Number(name), parent, own: command.includes(`/run/labn${node}/`) }];
    });
  const found = new Set(all.filter(({ own }) => own).map(({ pid }) => pid));
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    for (const { pid, parent } of all) if (found.has(parent)) found.add(pid);
  }
  return [...found];
}

/** Empty for a process that has ended meanwhile. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It went with its parent.
  }
}
