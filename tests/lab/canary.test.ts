import { randomBytes } from 'node:crypto';
import { beforeAll, expect, inject, test } from 'vitest';
import { linkIn, nthMail } from '../journeys/harness/inbox.ts';
import { newPerson } from '../journeys/harness/people.ts';
import { docker } from './harness/docker.ts';
import { compose, containersOf, eventually, exec, inspect, query } from './harness/stack.ts';

const stack = inject('stack');
const webUrl = inject('webUrl');
/** What must be nowhere, by what it is. */
const secrets = new Map<string, string>();
const person = { ...newPerson(), password: `canary-${randomBytes(12).toString('hex')}` };
const stray = `canary-${randomBytes(12).toString('hex')}`;

const post = (path: string, body: string, headers: Record<string, string> = {}) =>
  fetch(`${webUrl}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: webUrl, ...headers },
    body,
  });

beforeAll(async () => {
  for (const [name, value] of Object.entries(await installedSecrets())) {
    for (const [part, secret] of partsOf(name, value)) secrets.set(part, secret);
  }
  // Somebody's own: a password, a token by mail, a session; and secrets where none belong.
  secrets.set("a person's password", person.password);
  const signUp = await post('/api/accounts/sign-up', JSON.stringify(person));
  expect(signUp.status, await signUp.text()).toBe(202);
  const token = new URL(linkIn(await nthMail(person.email, 1), '/verify')).searchParams.get('token') ?? '';
  secrets.set('the token of a mailed link', token);
  secrets.set('a secret in a wrong place', stray);
  await fetch(`${webUrl}/verify?token=${token}`);
});

test('there are secrets to look for, and all are long enough to be found only where they are', () => {
  expect([...secrets.keys()]).toEqual(
    expect.arrayContaining([
      'auth_secret',
      'encryption_keys',
      'the password of database_url',
      'the token of a mailed link',
    ]),
  );
  for (const [name, secret] of secrets) expect(secret.length, name).toBeGreaterThanOrEqual(24);
});

test('error pages tell no secret, also one that the caller sent', async () => {
  const sent = { authorization: `Bearer ${stray}`, cookie: `session=${stray}`, 'x-api-key': stray };
  const responses = await Promise.all([
    fetch(`${webUrl}/nowhere`, { headers: sent }),
    fetch(`${webUrl}/api/nowhere`, { headers: sent }),
    fetch(`${webUrl}/verify?token=${stray}`, { headers: sent }),
    fetch(`${webUrl}/dashboard`, { headers: sent }),
    post('/api/accounts/sign-in', JSON.stringify({ email: person.email, password: stray }), sent),
    post('/api/accounts/sign-in', `{"password":"${stray}"`, sent),
    post('/api/accounts/sign-up', JSON.stringify({ email: 1, password: { stray } }), sent),
    fetch(`${inject('apiUrl')}/health`, { headers: sent }),
  ]);
  const pages = await Promise.all(responses.map(async (each) => `${each.status} ${await each.text()}`));
  expect(pages.filter((page) => page.startsWith('4')).length).toBeGreaterThanOrEqual(4);
  // Only the page that was asked with the token in its address has it: it asks the API with it.
  const others = pages.filter((_, index) => index !== 2);
  expect(foundIn(others.join('\n'))).toEqual([]);
});

test('what Docker tells of containers, images and the Compose file', async () => {
  const containers = await inspect(stack);
  const images = [...new Set(containers.map(({ Image }) => Image))];
  const told = [
    JSON.stringify(containers),
    (await docker(['image', 'inspect', ...images])).stdout,
    ...(await Promise.all(images.map(async (id) => (await docker(['history', '--no-trunc', id])).stdout))),
    (await compose(stack, ['config'])).stdout,
    ...(await Promise.all(
      (await containersOf(stack)).map(async (id) => (await docker(['top', id, 'axww'], { mayFail: true })).stdout),
    )),
  ].join('\n');
  expect(told).toContain('DISABLE_BACKGROUND_WORKERS');
  expect(foundIn(told)).toEqual([]);
});

test('logs of every service', async () => {
  const read = async () => (await compose(stack, ['logs', '--no-color', '--no-log-prefix'])).stdout;
  // The requests above are in it: a log that says nothing could not tell anything either.
  await eventually('the log of the sign-in', async () => (await read()).includes('/api/accounts/sign-in'));
  expect(foundIn(await read())).toEqual([]);
});

test('/metrics of api and worker', async () => {
  const metrics = (port: number) => [
    'node',
    '-e',
    `fetch('http://127.0.0.1:${port}/metrics').then((r) => r.text()).then((t) => process.stdout.write(t))`,
  ];
  for (const [service, port] of [
    ['api', 3003],
    ['worker', 3002],
  ] as const) {
    const { stdout } = await exec(stack, service, metrics(port));
    expect(stdout).toContain('ballast_build_info');
    expect(foundIn(stdout)).toEqual([]);
  }
});

test('jobs in Postgres, and all that is in both Redis', async () => {
  const jobs = (await query(stack, 'select to_jsonb(job) from jobs.job')).join('\n');
  expect(jobs).toContain('accounts.send-verification');
  expect(foundIn(jobs)).toEqual([]);
  for (const service of ['redis-cache', 'redis-queue'] as const) {
    const password =
      secrets.get(`the password of ${service === 'redis-cache' ? 'redis_url' : 'redis_queue_url'}`) ?? '';
    expect(foundIn(await allOf(service, password))).toEqual([]);
  }
});

/** The names of all that is in the haystack and should not be. */
function foundIn(haystack: string): string[] {
  expect(haystack.length).toBeGreaterThan(0);
  return [...secrets].filter(([, secret]) => haystack.includes(secret)).map(([name]) => name);
}

/** What the first step made, read from its volume. */
async function installedSecrets(): Promise<Record<string, string>> {
  const read = `const fs = require('node:fs'); const from = '/secrets/source/';
    console.log(JSON.stringify(Object.fromEntries(fs.readdirSync(from).map((n) => [n, fs.readFileSync(from + n, 'utf8').trim()]))))`;
  const volume = `${stack.project}_secrets:/secrets:ro`;
  const { stdout } = await docker([
    'run',
    '--rm',
    '--network',
    'none',
    '-v',
    volume,
    `ballast/api:${stack.env.BALLAST_VERSION}`,
    'node',
    '-e',
    read,
  ]);
  return JSON.parse(stdout);
}

/** An address is no secret, its password is; a ring of keys is one secret per key. */
function partsOf(name: string, value: string): [string, string][] {
  if (URL.canParse(value)) {
    const { password } = new URL(value);
    return password ? [[`the password of ${name}`, decodeURIComponent(password)]] : [];
  }
  if (name === 'encryption_keys') return value.split(',').map((each) => [name, each.split(':')[1] ?? '']);
  return [[name, value]];
}

/** Every key with what it holds, as Redis itself writes it down. */
async function allOf(service: string, password: string): Promise<string> {
  const dump = `for key in $(redis-cli --scan); do echo "$key"; redis-cli --no-raw dump "$key"; done; redis-cli dbsize`;
  return (await compose(stack, ['exec', '-T', '-e', `REDISCLI_AUTH=${password}`, service, 'sh', '-c', dump])).stdout;
}
