import type { Place, Swarm } from './subject.ts';

type Service =
  | 'postgres'
  | 'pooler'
  | 'migrate'
  | 'redis-queue'
  | 'redis-cache'
  | 'worker'
  | 'api'
  | 'web'
  | 'caddy'
  | 'backup';

const entries: Partial<Record<Service, string>> = {
  worker: 'node apps/api/dist/workers-standalone.js',
  api: 'node apps/api/dist/main.js',
};

/** As many as docker-compose.prod.yml runs when nobody says otherwise; of the others there is one. */
const replicas: Partial<Record<Service, number>> = { api: 2, worker: 2, web: 2 };

const inSwarm = (place: Place): place is Swarm => typeof place === 'object';
const nameIn = ({ stack }: Swarm, service: Service) => `${stack}_${service}`;

/** Whether services are containers, which can be told by name. */
export const inContainers = (place: Place): boolean => place === 'compose' || inSwarm(place);

/** What brings a service up, where Ballast runs. */
export function start(place: Place, service: Service): string {
  if (inSwarm(place)) {
    // Both of what keeps it away: nobody wants any of it, or Swarm has given up on it.
    return `docker service update --force --replicas ${replicas[service] ?? 1} ${nameIn(place, service)}`;
  }
  if (place === 'compose') return `docker compose up -d ${service}`;
  if (place === 'laptop' && !service.startsWith('redis')) return 'npm start';
  return entries[service] ?? `Start the server of ${service}.`;
}

/** What brings Postgres back. In a Swarm its data is on one node, and without that node no command is enough. */
export function startPostgres(place: Place): string {
  const command = start(place, 'postgres');
  if (!inSwarm(place)) return command;
  return `Its node first (docker node ls --filter node.label=ballast.data=true): when that is down, bring it back, or restore on another (docs/docker-scaling.md); when it is ready: ${command}`;
}

/** What a service wrote lately. */
export function logs(place: Place, service: Service): string {
  if (inSwarm(place)) return `docker service logs --tail 50 ${nameIn(place, service)}`;
  if (place === 'compose') return `docker compose logs --tail 50 ${service}`;
  if (place === 'laptop') return `tail -n 50 .ballast/log/${service}.log`;
  return `Read the log of ${service}.`;
}

export function migrate(place: Place): string {
  // A job that has ended is run again.
  if (inSwarm(place)) return `docker service update --force ${nameIn(place, 'migrate')}`;
  if (place === 'compose') return 'docker compose run --rm migrate';
  return place === 'laptop' ? 'npm start' : 'node apps/api/dist/migrate.js';
}

/** `ballast` where a service's files and secrets are. */
export function inside(place: Place, service: Service, words: string): string {
  // Swarm knows no `exec`: a container of the service is asked, on a node that has one.
  if (inSwarm(place)) return `docker exec $(docker ps -qf name=${nameIn(place, service)} | head -n 1) ballast ${words}`;
  return place === 'compose' ? `docker compose exec ${service} ballast ${words}` : `ballast ${words}`;
}

/** Only the worker's container holds the login that changes jobs. In a checkout, npm is all that there has to be. */
export function ballast(place: Place, words: string): string {
  return place === 'laptop' ? `npm run ballast -- ${words}` : inside(place, 'worker', words);
}

/** What brings all services to one version. */
export function deploy(place: Place): string {
  if (inSwarm(place)) return 'deploy/stack.sh';
  return place === 'compose' ? 'docker compose up -d' : 'Deploy one version to all of them.';
}

/** What makes images of this checkout, and services of them. */
export function rebuild(place: Place, ...services: Service[]): string | null {
  if (inSwarm(place))
    return 'docker compose build && docker compose push && deploy/stack.sh, with a new BALLAST_VERSION';
  return place === 'compose' ? `docker compose up -d --build ${services.join(' ')}` : null;
}

/** How to give a process a setting, and have it read. */
export function set(place: Place, service: Service, assignment: string): string {
  if (inSwarm(place)) return `Set ${assignment} for ${service} in the Compose file, then: ${deploy(place)}`;
  if (place === 'compose')
    return `Set ${assignment} for ${service} in the Compose file, then: ${start(place, service)}`;
  return `Set ${assignment} for the ${service}, and start it again.`;
}
