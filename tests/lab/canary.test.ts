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
let session: string[] = [];

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
  const verified = await post('/api/accounts/verify-email', JSON.stringify({ token }));
  expect(verified.status, await verified.clone().text()).toBe(200);
  session = verified.headers.getSetCookie().map((cookie) => cookie.split(';')[0] ?? '');
  for (const cookie of session) {
    const value = cookie.slice(cookie.indexOf('=') + 1);
    // As it is sent, and what it is without its signature.
    secrets.set('the cookie of a session', value);
    secrets.set('the token of a session', decodeURIComponent(value).split('.')[0] ?? '');
  }
});

test('there are secrets to look for, and all are long enough to be found only where they are', () => {
  expect([...secrets.keys()]).toEqual(
    expect.arrayContaining([
      'auth_secret',
      'encryption_keys',
      'the password of database_url',
      'the token of a mailed link',
      'the cookie of a session',
      'the token of a session',
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

test('what is answered while Postgres is away tells no secret either', async () => {
  const sent = { cookie: [...session, `stray=${stray}`].join('; '), authorization: `Bearer ${stray}` };
  await compose(stack, ['stop', 'postgres']);
  try {
    const answers = await Promise.all([
      fetch(`${webUrl}/api/accounts/me`, { headers: sent }),
      post('/api/accounts/sign-in', JSON.stringify({ email: person.email, password: person.password })),
      fetch(`${inject('apiUrl')}/health`, { headers: sent }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503]);
    const page = await fetch(`${webUrl}/dashboard`, { headers: sent });
    const told = await Promise.all([...answers, page].map((answer) => answer.text()));
    expect(told.join('\n')).toContain('database.unreachable');
    expect(foundIn(told.join('\n'))).toEqual([]);
  } finally {
    await compose(stack, ['up', '-d', '--wait', 'postgres']);
    await eventually('the API is ready again', async () => (await fetch(`${inject('apiUrl')}/readyz`)).ok);
  }
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
  for (const [service, address] of [
    ['redis-cache', 'redis_url'],
    ['redis-queue', 'redis_queue_url'],
  ] as const) {
    const ask = redisCli(service, secrets.get(`the password of ${address}`) ?? '');
    // What is in Redis would be found, also where it lies among much else.
    const planted = randomBytes(24).toString('hex');
    await ask(`{ yes filler | head -c 9000; printf %s ${planted}; } | redis-cli -x set canary:string`);
    await ask(`for n in $(seq 40); do echo "hset canary:hash f$n value-$n-${planted}"; done | redis-cli`);
    try {
      const all = await allOf(ask);
      expect(all.split(planted).length - 1, service).toBe(1 + 40);
      expect(foundIn(all)).toEqual([]);
    } finally {
      await ask('redis-cli del canary:string canary:hash');
    }
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

const redisCli = (service: string, password: string) => async (script: string) =>
  (await compose(stack, ['exec', '-T', '-e', `REDISCLI_AUTH=${password}`, service, 'sh', '-c', script])).stdout;

/** Every key with what it holds, as Redis writes it down; by itself it packs what is longer than 20 bytes, and nothing is found in that. */
async function allOf(ask: (script: string) => Promise<string>): Promise<string> {
  return ask(`redis-cli config set rdbcompression no >/dev/null
    for key in $(redis-cli --scan); do echo "$key"; redis-cli --no-raw dump "$key"; done; redis-cli dbsize
    redis-cli config set rdbcompression yes >/dev/null`);
}
