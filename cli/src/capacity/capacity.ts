import measured from '@ballast/capacity/measured-costs' with { type: 'json' };
import { limits, plan } from '@ballast/capacity/plan';
import type { Station } from '@ballast/capacity/predict';
import { type Answer, type LocalCommand, UsageError } from '../command.ts';
import { type Column, table } from '../output/table.ts';
import { type Asked, readAsked } from './read-asked.ts';

export const capacity: LocalCommand = {
  name: '',
  summary: 'Tells how many replicas a load needs, how long work then waits, and which limit comes next.',
  details:
    'Computed from costs that were measured (docs/scaling-model.md), not from this installation. Give at least one of the loads.',
  options: {
    'requests-per-second': { value: 'N', description: 'requests at the peak' },
    'jobs-per-second': { value: 'N', description: 'jobs at the peak' },
    'jobs-per-day': { value: 'N', description: 'jobs of a whole day, instead; the peak is --peak times the average' },
    peak: { value: 'N', description: 'how many times the average of a day its peak is (3)' },
    'handler-ms': { value: 'N', description: 'how long a handler holds its slot (50)' },
    slots: { value: 'N', description: 'jobs at once in one worker (16)' },
    'pool-size': { value: 'N', description: 'DATABASE_POOL_SIZE (10)' },
    'postgres-cores': { value: 'N', description: 'cores of the database server (4)' },
    'postgres-connections': { value: 'N', description: 'its max_connections, less those kept for the superuser (97)' },
    'wal-mb-per-second': { value: 'N', description: 'what its disk takes for good (100)' },
    utilisation: { value: 'N', description: 'how full a part may be at the peak, from 0.1 to 0.95 (0.6)' },
  },
  act: async ({ options }) => answer(readAsked(options)),
};

function answer({ load, base, utilisation }: Asked): Answer {
  let found: ReturnType<typeof plan>;
  try {
    found = plan(measured, load, base, utilisation);
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message);
    throw error;
  }
  const { deployment, prediction, full } = found;
  const next = limits(measured, load, base, utilisation);
  const data = { load, deployment, ...prediction, full: full.map(({ name }) => name), limits: next, measured };
  const lines = [
    `${perSecond(load.requestsPerSecond)} requests and ${perSecond(load.jobsPerSecond)} jobs a second at the peak, handlers of ${load.handlerMs} ms:`,
    '',
    `  api     ${replicas(deployment.apiReplicas)}; a request takes ${ms(prediction.requestMs.mean)} on average, ${ms(prediction.requestMs.p99)} at p99`,
    `  worker  ${replicas(deployment.workerReplicas)} of ${base.slotsPerWorker} slots; a due job waits ${ms(prediction.jobWaitMs.mean)} for a slot on average, ${ms(prediction.jobWaitMs.p99)} at p99`,
    '',
    table(prediction.stations, columns),
    '',
    ...next
      .slice(0, 1)
      .map(({ station, times }) => `Next limit: ${station}, full at ${times.toFixed(2)} times this load.`),
    ...full.map(
      (station) => `${station.name} is too full at the peak: ${relief[station.name] ?? 'it needs a larger machine.'}`,
    ),
    `Costs measured on ${measured.measuredOn} at ${measured.commit}: ${measured.machine}.`,
  ];
  return { text: lines.join('\n'), data, ok: full.length === 0 };
}

const columns: Column<Station>[] = [
  { title: 'PART', value: ({ name }) => name },
  { title: 'FULL', value: ({ utilisation }) => `${(utilisation * 100).toFixed(1)} %`, right: true },
  { title: 'MORE BY', value: ({ replicas }) => (replicas ? `${replicas} replicas` : 'a larger machine') },
];

/** What helps where replicas do not. */
const relief: Partial<Record<Station['name'], string>> = {
  'postgres connections':
    'raise max_connections, lower DATABASE_POOL_SIZE, or put PgBouncer in between (the profile pooler).',
  'postgres processor': 'give Postgres more cores (--postgres-cores), or send fewer statements.',
  wal: 'give it a faster disk, or write less in each job.',
};

const replicas = (count: number) => (count === 1 ? '1 replica' : `${count} replicas`);

const perSecond = (value: number) => (value >= 10 ? Math.round(value) : Number(value.toPrecision(2)));

function ms(value: number): string {
  if (!Number.isFinite(value)) return 'without end';
  if (value < 0.1) return 'less than 0.1 ms';
  return `${value >= 100 ? Math.round(value) : Number(value.toPrecision(2))} ms`;
}
