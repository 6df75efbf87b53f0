/**
 * A certificate that cannot be renewed, since its authority is out of reach: row 41 of the fault
 * table. The project's Caddyfile in a real Caddy serves on with it, and doctor says so in time.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@ballast/test-kit/free-port';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openWard, type Ward } from '../../packages/doctor/src/testing/ward.ts';
import { type Edge, startCaddy } from './harness/caddy.ts';
import { ask, untilServed } from './harness/handshake.ts';
import { startReplica } from './harness/replica.ts';

const site = 'app.ballast.example';
const address = '127.0.2.9';
const dayMs = 86_400_000;
/** As public authorities give them. */
const lifeDays = 90;

let ward: Ward;
let folder: string;
let edge: Edge | null = null;
let stopWeb = () => {};

beforeAll(async () => {
  ward = await openWard();
  await ward.live();
  folder = mkdtempSync(join(tmpdir(), 'ballast-certificate-'));
});
afterEach(async () => {
  stopWeb();
  await edge?.stop();
  edge = null;
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await ward.close();
});

/** What an authority signed for the site so long ago that it ends in so many days. */
function signedBefore(daysLeft: number): { certificate: string; key: string } {
  const [key, request, certificate, settings] = ['key.pem', 'request.pem', 'certificate.pem', 'ca.conf'].map((name) =>
    join(folder, name),
  ) as [string, string, string, string];
  const openssl = (words: string) => execFileSync('openssl', words.split(' '), { stdio: 'ignore' });
  const at = (days: number) => new Date(Date.now() + days * dayMs).toISOString().replace(/[-:T]|\.\d+/g, '');
  writeFileSync(join(folder, 'index.txt'), '');
  writeFileSync(
    settings,
    `[ca]
default_ca = own
[own]
new_certs_dir = ${folder}
database = ${join(folder, 'index.txt')}
default_md = sha256
policy = any
rand_serial = yes
x509_extensions = extensions
[any]
commonName = supplied
[extensions]
subjectAltName = DNS:${site}
`,
  );
  openssl(
    `req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ${key} -out ${request} -subj /CN=${site}`,
  );
  openssl(
    `ca -batch -selfsign -notext -config ${settings} -keyfile ${key} -in ${request} -out ${certificate} -startdate ${at(daysLeft - lifeDays)} -enddate ${at(daysLeft)}`,
  );
  return { certificate: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') };
}

/** Caddy with this certificate, and an authority to which nothing gets through. */
async function serveWith(daysLeft: number) {
  const signed = signedBefore(daysLeft);
  const from = { directory: `https://127.0.0.1:${await freePort()}/directory`, ...signed };
  edge = await startCaddy({ tls: { site, inside: 'http://127.0.0.1:1', from } });
  const web = await startReplica(address, edge.ports.web, async (_, response) => void response.end('the page'));
  stopWeb = () => web.stop();
  edge.names.set('web', [address]);
  const at = { port: edge.port, ca: signed.certificate };
  await untilServed(site, at);
  const subject = { publicUrl: `https://${site}:${edge.port}`, tlsEdge: { host: '127.0.0.1', port: edge.port } };
  return { edge, at, find: () => ward.find(subject) };
}

describe('a certificate of the site', () => {
  it('that ends in ten days while its authority is out of reach is served on, and warned of (row 41)', async () => {
    const { edge, at, find } = await serveWith(10);
    // It should have been renewed when thirty days were left: Caddy tries, and says why it cannot.
    await expect.poll(() => edge.said(), { timeout: 60_000 }).toMatch(/"logger":"tls\.renew".*connection refused/);
    expect(await ask(site, at)).toMatchObject({ status: 200, text: 'the page' });
    const [found, ...others] = await find();
    expect(others).toEqual([]);
    expect(found).toMatchObject({
      code: 'certificate.expiring',
      severity: 'warning',
      symptom: 'browsers warn of the page',
      cause: expect.stringMatching(/^The certificate ends in (9|10) days, and should have been renewed by now\.$/),
      fix: expect.stringContaining('caddy'),
    });
  });

  it('that has its time yet is not warned of, whoever is out of reach', async () => {
    const { find } = await serveWith(lifeDays - 1);
    expect(await find()).toEqual([]);
  });
});
