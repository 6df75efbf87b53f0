import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '@ballast/test-kit/free-port';
import { root } from '../../../scripts/start/settings.ts';
import { linkIn, type Mail } from '../../journeys/harness/inbox.ts';
import { newPerson } from '../../journeys/harness/people.ts';
import { run } from './docker.ts';
import { compose, eventually, exec, query, remove, type Stack } from './stack.ts';
import { type Site, visit } from './visit.ts';

/** A running product, whatever runs it. */
export interface Reached {
  site: Site;
  mails(): Promise<Mail[]>;
  /** What a statement answers, as the superuser, one line per row. */
  query(sql: string): Promise<string[]>;
  end(): Promise<void>;
}

export interface Production extends Reached {
  stack: Stack;
}

/** A name for which Caddy signs the certificate itself, so that no authority is asked. */
export const host = 'ballast.localhost';

/** The production files on a clone, with one replica of each and secrets made as their documentation says. */
export async function startProduction(base: Stack): Promise<Production> {
  const [http = 0, port = 0, inbox = 0] = [await freePort(), await freePort(), await freePort()];
  const stack: Stack = {
    folder: base.folder,
    project: `${base.project}-prod`,
    files: ['docker-compose.yml', 'docker-compose.prod.yml', 'tests/lab/compose.lab.yml'],
    env: {
      BALLAST_VERSION: base.env.BALLAST_VERSION ?? '',
      SITE_ADDRESS: host,
      MAIL_FROM: 'Ballast <hello@ballast.test>',
      SUPPORT_EMAIL: 'support@ballast.test',
      ...{ API_REPLICAS: '1', WORKER_REPLICAS: '1', WEB_REPLICAS: '1' },
      ...{ LAB_HTTP_PORT: `${http}`, LAB_HTTPS_PORT: `${port}`, INBOX_PORT: `${inbox}` },
    },
  };
  const secrets = join(stack.folder, 'secrets');
  await run(process.execPath, [join(root, 'cli/src/main.ts'), 'secrets', 'init', '--in', secrets]);
  writeFileSync(join(secrets, 'smtp_url'), 'smtp://inbox:1025\n', { mode: 0o600 });
  await compose(stack, ['up', '-d', '--wait', '--build']).catch(async (error) => {
    const { stdout } = await compose(stack, ['logs', '--tail', '30'], { mayFail: true });
    await remove(stack);
    throw new Error(`${error}\n${stdout}`);
  });
  const authority = '/data/caddy/pki/authorities/local/root.crt';
  const site = { host, port, ca: (await exec(stack, 'caddy', ['cat', authority])).stdout };
  return {
    stack,
    site,
    query: (sql) => query(stack, sql),
    mails: async () => (await fetch(`http://localhost:${inbox}/api/email`)).json() as Promise<Mail[]>,
    end: async () => void (await remove(stack)),
  };
}

/** Signs somebody up through the front door. Returns the cookies of their session. */
export async function settle({ site, mails }: Pick<Reached, 'site' | 'mails'>): Promise<string> {
  const person = newPerson();
  const post = async (path: string, body: unknown) => {
    const answer = await visit(site, path, { method: 'POST', body: JSON.stringify(body) });
    if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${answer.body}`);
    return answer;
  };
  await post('/api/accounts/sign-up', person);
  let mail: Mail | undefined;
  await eventually('the mail of a sign-up', async () => {
    mail = (await mails()).find(({ to }) => to.some(({ address }) => address === person.email));
    return mail !== undefined;
  });
  const token = new URL(linkIn(mail as Mail, '/verify')).searchParams.get('token');
  const { headers } = await post('/api/accounts/verify-email', { token });
  return [headers['set-cookie'] ?? []]
    .flat()
    .map((cookie) => cookie.split(';')[0])
    .join('; ');
}
