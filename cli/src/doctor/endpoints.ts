import { readdirSync, readFileSync } from 'node:fs';
import type { Endpoint } from '@ballast/doctor';
import type { Values } from '../../../apps/api/src/config/settings.ts';
import type { Told } from './told.ts';

type Here = readonly Endpoint['name'][];

/** Where the processes of this machine serve their metrics, by their settings. */
export function endpoints(values: Partial<Values<'doctor'>>, here: Here): Endpoint[] {
  const at = (host: string | undefined, port: number) =>
    // Who listens everywhere answers on loopback too.
    `http://${host === undefined || host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host}:${port}/metrics`;
  const { METRICS_HOST, METRICS_PORT, WORKER_HOST, WORKER_PORT } = values;
  return here.map((name) => {
    if (name === 'worker') {
      return { name, url: WORKER_PORT === undefined ? null : at(WORKER_HOST, WORKER_PORT), setting: 'WORKER_PORT' };
    }
    return { name, url: METRICS_PORT === undefined ? null : at(METRICS_HOST, METRICS_PORT), setting: 'METRICS_PORT' };
  });
}

/** Who should run on this machine: in a container one of the two, beside `npm start` both, elsewhere nobody knows. */
export function processesHere(inImage: boolean, told: Told | null): Here {
  if (told) return ['api', 'worker'];
  return inImage ? programsOfContainer() : [];
}

/** A container's first process carries its command; where an init stands before it, as an argument. */
function programsOfContainer(): Here {
  const commands = readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map((pid) => read(`/proc/${pid}/cmdline`));
  const runs = (program: string) =>
    commands.some((command) => command.split('\0').some((word) => word.endsWith(program)));
  return [
    ...(runs('dist/main.js') ? (['api'] as const) : []),
    ...(runs('dist/workers-standalone.js') ? (['worker'] as const) : []),
  ];
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // It ended meanwhile.
    return '';
  }
}
