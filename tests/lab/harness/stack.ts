import { setTimeout as sleep } from 'node:timers/promises';
import { docker, type Ran } from './docker.ts';

/** A stack of the Compose files in a folder. Plain data, so that vitest hands it from the setup to the tests. */
export interface Stack {
  folder: string;
  project: string;
  files: string[];
  env: Record<string, string>;
}

export function compose(stack: Stack, args: readonly string[], options: { mayFail?: boolean; input?: string } = {}) {
  const files = stack.files.flatMap((file) => ['-f', file]);
  return docker(['compose', '-p', stack.project, ...files, ...args], {
    ...options,
    cwd: stack.folder,
    env: stack.env,
  });
}

/** Runs a command in a service's container. */
export function exec(stack: Stack, service: string, command: readonly string[], mayFail = false): Promise<Ran> {
  return compose(stack, ['exec', '-T', service, ...command], { mayFail });
}

/** The ids of all containers of a service, or of all services. */
export async function containersOf(stack: Stack, service?: string): Promise<string[]> {
  const { stdout } = await compose(stack, ['ps', '-aq', ...(service ? [service] : [])]);
  return stdout.split('\n').filter(Boolean);
}

/** What Docker knows of a container; only what the tests ask for is typed. */
export interface Inspected {
  Id: string;
  Image: string;
  Config: { User: string; Labels: Record<string, string>; Healthcheck?: { Test: string[] }; Env: string[] };
  State: { Status: string; ExitCode: number; Health?: { Status: string } };
  HostConfig: {
    ReadonlyRootfs: boolean;
    CapDrop: string[] | null;
    CapAdd: string[] | null;
    SecurityOpt: string[] | null;
    Privileged: boolean;
    Init: boolean | null;
    Memory: number;
    NanoCpus: number;
    CpuShares: number;
    PidsLimit: number | null;
    LogConfig: { Type: string; Config: Record<string, string> };
    RestartPolicy: { Name: string };
    NetworkMode: string;
  };
  NetworkSettings: {
    Ports: Record<string, { HostIp: string; HostPort: string }[] | null>;
    Networks: Record<string, { IPAddress: string }>;
  };
  Mounts: { Destination: string; RW: boolean; Type: string }[];
}

export async function inspect(stack: Stack, service?: string): Promise<Inspected[]> {
  const ids = await containersOf(stack, service);
  return JSON.parse((await docker(['inspect', ...ids])).stdout) as Inspected[];
}

export const serviceOf = (container: Inspected) => container.Config.Labels['com.docker.compose.service'] ?? '';

/** What a statement answers, as the superuser, one line per row. */
export async function query(stack: Stack, sql: string, database = 'ballast'): Promise<string[]> {
  const login = ['psql', '-U', 'postgres', '-d', database, '-X', '-v', 'ON_ERROR_STOP=1', '-At'];
  const { stdout } = await compose(stack, ['exec', '-T', 'postgres', ...login], { input: sql });
  return stdout.split('\n').filter(Boolean);
}

/** Asks until the answer is the wanted one, within a bound. */
export async function eventually(what: string, holds: () => Promise<boolean>, timeoutMs = 60_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`Not within ${timeoutMs / 1000} s: ${what}`);
    await sleep(200);
  }
}

/** Ends it, with its volumes. */
export const remove = (stack: Stack) =>
  compose(stack, ['--profile', '*', 'down', '-v', '--remove-orphans', '-t', '2'], { mayFail: true });
