import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { onServer } from '@ballast/test-kit/database';
import { freePort } from '@ballast/test-kit/free-port';
import { signedCookie } from '../../../apps/api/src/testing/signed-cookie.ts';
import { type Started, start, untilReady } from '../../../apps/api/src/testing/start-process.ts';
import type { Place } from '../jobs/system.ts';

const authSecret = 'q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=';
/** A page of requests for help: a session, a membership and a page of a tenant's table, as most reads are. */
const path = '/api/support/requests';

export interface ApiCrew {
  /** Asks the next replica, in turn. True when the answer is a success. */
  ask(number: number): Promise<boolean>;
  pids: number[];
  end(): Promise<void>;
}

/** API processes without workers, and one signed-in person. */
export async function startApis(place: Place, replicas: number): Promise<ApiCrew> {
  const cookie = await signIn(place);
  const started: { process: Started; port: number }[] = [];
  for (let replica = 0; replica < replicas; replica++) {
    const port = await freePort();
    const process = start('main', {
      BALLAST_ENV: 'local',
      NODE_ENV: 'production',
      LOG_LEVEL: 'info',
      DATABASE_URL: place.appUrl,
      REDIS_URL: place.redisUrl,
      AUTH_SECRET: authSecret,
      API_PORT: String(port),
      DISABLE_BACKGROUND_WORKERS: 'true',
    });
    started.push({ process, port });
  }
  for (const { process, port } of started) await untilReady(String(port), process);
  const agent = new Agent({ keepAlive: true, maxSockets: 200 });
  return {
    ask: (number) => get(agent, started[number % replicas]?.port ?? 0, cookie),
    pids: started.map(({ process }) => process.child.pid ?? 0),
    async end() {
      agent.destroy();
      for (const { process } of started) process.child.kill('SIGTERM');
      await Promise.all(started.map(({ process }) => process.exited));
    },
  };
}

function get(agent: Agent, port: number, cookie: string): Promise<boolean> {
  return new Promise((resolve) => {
    request({ agent, port, host: '127.0.0.1', path, headers: { cookie } }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode === 200));
    })
      .once('error', () => resolve(false))
      .end();
  });
}

/** A confirmed person with an organisation and a session, written as the account module would leave them. */
async function signIn(place: Place): Promise<string> {
  const token = randomUUID();
  await onServer(place.adminUrl, async (admin) => {
    await admin`
      with person as (
        insert into accounts."user" (name, email, email_verified) values ('Bench', ${`${token}@bench.test`}, true)
        returning id
      ), made as (
        insert into accounts.organization (name, slug, personal) values ('Bench', ${`bench-${token}`}, true) returning id
      ), joined as (
        insert into accounts.member (organization_id, user_id, role) select made.id, person.id, 'owner' from made, person
      )
      insert into accounts.session (user_id, token, expires_at) select id, ${token}, now() + interval '1 day' from person`;
  });
  return await signedCookie(authSecret, token);
}
