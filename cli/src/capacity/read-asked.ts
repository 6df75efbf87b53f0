import type { Deployment, Load } from '@ballast/capacity/costs';
import { type Given, UsageError } from '../command.ts';

export interface Asked {
  load: Load;
  base: Omit<Deployment, 'apiReplicas' | 'workerReplicas'>;
  utilisation: number;
}

const secondsPerDay = 86_400;

/** What was typed, or what is usual where nothing was; throws a `UsageError` for what is no number or makes no sense. */
export function readAsked(options: Given['options']): Asked {
  const number = (name: string, usual: number, least = 0, most = 1e12) => {
    const typed = options[name];
    if (typed === undefined) return usual;
    const value = typed.trim() === '' ? Number.NaN : Number(typed.replaceAll('_', ''));
    if (!(value >= least && value <= most)) {
      throw new UsageError(`--${name} must be a number from ${least} to ${most}, not ${typed}.`);
    }
    return value;
  };
  const whole = (name: string, usual: number) => {
    const value = number(name, usual, 1, 1e6);
    if (!Number.isInteger(value)) throw new UsageError(`--${name} must be a whole number, not ${value}.`);
    return value;
  };
  if (options['jobs-per-day'] !== undefined && options['jobs-per-second'] !== undefined) {
    throw new UsageError('Give --jobs-per-second or --jobs-per-day, not both.');
  }
  const ofDay = (number('jobs-per-day', 0) / secondsPerDay) * number('peak', 3, 1, 100);
  const load = {
    requestsPerSecond: number('requests-per-second', 0),
    jobsPerSecond: number('jobs-per-second', ofDay),
    handlerMs: number('handler-ms', 50, 0, 86_400_000),
  };
  if (load.requestsPerSecond === 0 && load.jobsPerSecond === 0) {
    throw new UsageError('There is no load: give --requests-per-second, --jobs-per-second or --jobs-per-day.');
  }
  return {
    load,
    base: {
      slotsPerWorker: whole('slots', 16),
      poolSize: whole('pool-size', 10),
      postgresCores: whole('postgres-cores', 4),
      postgresConnections: whole('postgres-connections', 97),
      walBytesPerSecond: number('wal-mb-per-second', 100, 0.1, 1e6) * 1e6,
    },
    utilisation: number('utilisation', 0.6, 0.1, 0.95),
  };
}
