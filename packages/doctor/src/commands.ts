import type { Place } from './subject.ts';

type Service = 'postgres' | 'migrate' | 'redis-queue' | 'redis-cache' | 'worker' | 'api';

const entries: Partial<Record<Service, string>> = {
  worker: 'node apps/api/dist/workers-standalone.js',
  api: 'node apps/api/dist/main.js',
};

/** What brings a service up, where Ballast runs. */
export function start(place: Place, service: Service): string {
  if (place === 'compose') return `docker compose up -d ${service}`;
  if (place === 'laptop' && !service.startsWith('redis')) return 'npm start';
  return entries[service] ?? `Start the server of ${service}.`;
}

/** What a service wrote lately. */
export function logs(place: Place, service: Service): string {
  if (place === 'compose') return `docker compose logs --tail 50 ${service}`;
  if (place === 'laptop') return `tail -n 50 .ballast/log/${service}.log`;
  return `Read the log of ${service}.`;
}

export function migrate(place: Place): string {
  if (place === 'compose') return 'docker compose run --rm migrate';
  return place === 'laptop' ? 'npm start' : 'node apps/api/dist/migrate.js';
}

/** Only the worker's container holds the login that changes jobs. */
export function ballast(place: Place, words: string): string {
  return place === 'compose' ? `docker compose exec worker ballast ${words}` : `pnpm ballast ${words}`;
}

/** How to give a process a setting, and have it read. */
export function set(place: Place, service: Service, assignment: string): string {
  if (place === 'compose')
    return `Set ${assignment} for ${service} in the Compose file, then: ${start(place, service)}`;
  return `Set ${assignment} for the ${service}, and start it again.`;
}
