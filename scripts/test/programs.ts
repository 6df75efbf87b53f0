import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where a program is on the PATH, by the first of its names that is there. */
export function findProgram(...names: string[]): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find((file) => existsSync(file));
}

/** The library in the system's own Python, where Debian puts it. */
export function findSwift(): string | undefined {
  const folder = '/usr/lib/python3/dist-packages/swift/common/middleware/s3api';
  return existsSync(folder) ? folder : undefined;
}

export const chromium = () => process.env.CHROMIUM_PATH || findProgram('chromium', 'chromium-browser', 'google-chrome');

/** A sentence for a step that needs a program which is not there; undefined when it is. */
export function lackingProgram(found: string | undefined, name: string, command: string): string | undefined {
  return found ? undefined : `needs ${name}; install it with: ${command}`;
}

/** Undefined where a Docker engine with Compose answers: the one of DOCKER_HOST, or the machine's own. */
export function lackingDocker(): string | undefined {
  const answers = (...args: string[]) => spawnSync('docker', args, { timeout: 10_000, stdio: 'ignore' }).status === 0;
  if (answers('info') && answers('compose', 'version')) return undefined;
  return 'needs a Docker engine with Compose 2; start one, or name it in DOCKER_HOST';
}
