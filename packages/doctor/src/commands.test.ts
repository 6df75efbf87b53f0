import { expect, it } from 'vitest';
import { ballast, deploy, inside, logs, migrate, set, start, startPostgres } from './commands.ts';
import type { Place } from './subject.ts';

const words = (place: Place) => [
  start(place, 'worker'),
  start(place, 'postgres'),
  logs(place, 'api'),
  migrate(place),
  ballast(place, 'jobs list'),
  inside(place, 'backup', 'backup drill'),
  deploy(place),
  set(place, 'api', 'METRICS_PORT=3003'),
];

it('speaks to a Swarm as to a Swarm, by the name of the stack', () => {
  expect(words({ stack: 'acme' })).toEqual([
    'docker service update --force --replicas 2 acme_worker',
    'docker service update --force --replicas 1 acme_postgres',
    'docker service logs --tail 50 acme_api',
    'docker service update --force acme_migrate',
    'docker exec $(docker ps -qf name=acme_worker | head -n 1) ballast jobs list',
    'docker exec $(docker ps -qf name=acme_backup | head -n 1) ballast backup drill',
    'deploy/stack.sh',
    'Set METRICS_PORT=3003 for api in the Compose file, then: deploy/stack.sh',
  ]);
});

it('sends whoever misses Postgres in a Swarm to its node first', () => {
  const words = startPostgres({ stack: 'acme' });
  expect(words).toMatch(/docker node ls --filter node\.label=ballast\.data=true.*restore on another/);
  expect(words).toMatch(/when it is ready: docker service update --force --replicas 1 acme_postgres$/);
  expect(startPostgres('compose')).toBe('docker compose up -d postgres');
});

it('never speaks of Compose where there is none', () => {
  for (const place of [{ stack: 'acme' }, 'laptop', 'elsewhere'] as const) {
    expect(words(place).join('\n')).not.toContain('docker compose');
  }
  expect(words('compose').filter((command) => command.includes('docker compose'))).toHaveLength(8);
});
