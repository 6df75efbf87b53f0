import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '@ballast/test-kit/free-port';
import { root } from '../../../scripts/start/settings.ts';
import type { Mail } from '../../journeys/harness/inbox.ts';
import { docker, type Ran, run } from './docker.ts';
import { host, type Reached } from './production.ts';
import { compose, eventually, type Stack } from './stack.ts';

export interface Swarm extends Reached {
  name: string;
  /** Runs deploy/stack.sh. */
  deploy(env?: Record<string, string>, ...words: string[]): Promise<Ran>;
  /** The docker command, on the engine that has the data. */
  on(args: readonly string[], options?: { input?: string; mayFail?: boolean }): Promise<Ran>;
  /** The containers of a service on that engine. */
  containersOf(service: string): Promise<string[]>;
}

const stackFiles = [
  'docker-compose.yml',
  'docker-compose.prod.yml',
  'docker-compose.swarm.yml',
  'tests/lab/compose.swarm.yml',
];

/** Where a stack is deployed: by default the engine that DOCKER_HOST names, with ports that are free here. */
interface Ground {
  engine?: string;
  address?: string;
  ports?: readonly number[];
  files?: readonly string[];
  replicas?: number;
}

/** The files of a fresh clone on the Swarm that an engine manages; made a Swarm of one node when it is none yet. */
export async function startSwarm(base: Stack, ground: Ground = {}): Promise<Swarm> {
  const { address = '127.0.0.1', files = [], replicas = '1' } = ground;
  const own: Record<string, string> = ground.engine ? { DOCKER_HOST: ground.engine } : {};
  const on: Swarm['on'] = (args, options) => docker(args, { ...options, env: own });
  const leave = await joinSwarm(on);
  const [http = 0, port = 0, inbox = 0] = ground.ports ?? [await freePort(), await freePort(), await freePort()];
  const name = `swarm${process.pid}`;
  const secrets = join(base.folder, 'secrets-of-swarm');
  const settings = {
    COMPOSE_PROJECT_NAME: name,
    COMPOSE_FILE: [...stackFiles, ...files].join(':'),
    BALLAST_VERSION: base.env.BALLAST_VERSION ?? '',
    SITE_ADDRESS: host,
    MAIL_FROM: 'Ballast <hello@ballast.test>',
    SUPPORT_EMAIL: 'support@ballast.test',
    SECRETS_DIRECTORY: secrets,
    // The lab's engine reaches no registry.
    RESOLVE_IMAGE: 'never',
    ...{ API_REPLICAS: `${replicas}`, WORKER_REPLICAS: `${replicas}`, WEB_REPLICAS: `${replicas}` },
    ...{ LAB_HTTP_PORT: `${http}`, LAB_HTTPS_PORT: `${port}`, INBOX_PORT: `${inbox}` },
    LAB_INBOX_VERSION: base.env.BALLAST_VERSION ?? '',
  };
  const deploy: Swarm['deploy'] = (env = {}, ...words) =>
    run('deploy/stack.sh', words, { cwd: base.folder, env: { ...settings, ...own, ...env }, mayFail: true });
  const containersOf = async (service: string) =>
    (await on(['ps', '-q', '--filter', `label=com.docker.swarm.service.name=${name}_${service}`])).stdout
      .split('\n')
      .filter(Boolean);
  const end = async () => {
    await on(['stack', 'rm', name], { mayFail: true });
    // Its containers may take a minute to end, each.
    const isGone = async () => {
      const left = await on(['ps', '-aq', '--filter', `label=com.docker.stack.namespace=${name}`]);
      return left.stdout.trim() === '';
    };
    await eventually('the stack is gone', isGone, 240_000);
    const volumes = await on(['volume', 'ls', '-q', '--filter', `name=${name}_`]);
    await on(['volume', 'rm', '-f', ...volumes.stdout.split('\n').filter(Boolean)], { mayFail: true });
    await leave();
  };

  mkdirSync(secrets, { recursive: true });
  await run(process.execPath, [join(root, 'cli/src/main.ts'), 'secrets', 'init', '--in', secrets]);
  writeFileSync(join(secrets, 'smtp_url'), 'smtp://inbox:1025\n', { mode: 0o600 });
  // The one image that the start of a laptop does not need.
  await compose(base, ['build', 'caddy']);
  const deployed = await deploy();
  if (deployed.code !== 0) {
    await end();
    throw new Error(`deploy/stack.sh ended with ${deployed.code}\n${deployed.stderr}`);
  }
  const [caddy = ''] = await containersOf('caddy');
  const authority = '/data/caddy/pki/authorities/local/root.crt';
  const psql = ['psql', '-U', 'postgres', '-d', 'ballast', '-X', '-v', 'ON_ERROR_STOP=1', '-At'];
  return {
    ...{ name, deploy, on, containersOf, end },
    site: { host, address, port, ca: (await on(['exec', caddy, 'cat', authority])).stdout },
    async query(sql) {
      // A restore and a node that comes back put another in its place.
      const [postgres = ''] = await containersOf('postgres');
      return (await on(['exec', '-i', postgres, ...psql], { input: sql })).stdout.split('\n').filter(Boolean);
    },
    mails: async () => (await fetch(`http://${address}:${inbox}/api/email`)).json() as Promise<Mail[]>,
  };
}

/** Returns what undoes it; an engine that is part of a Swarm already stays in it. */
async function joinSwarm(on: Swarm['on']): Promise<() => Promise<void>> {
  const state = (await on(['info', '-f', '{{.Swarm.LocalNodeState}}'])).stdout.trim();
  if (state === 'inactive') await on(['swarm', 'init', '--advertise-addr', '127.0.0.1']);
  const self = (await on(['info', '-f', '{{.Swarm.NodeID}}'])).stdout.trim();
  await on(['node', 'update', '--label-add', 'ballast.data=true', self]);
  return async () => {
    if (state === 'inactive') await on(['swarm', 'leave', '--force'], { mayFail: true });
    else await on(['node', 'update', '--label-rm', 'ballast.data', self], { mayFail: true });
  };
}
