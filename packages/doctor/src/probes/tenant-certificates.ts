import { lookup } from 'node:dns/promises';
import { checkServerIdentity } from 'node:tls';
import { logs } from '../commands.ts';
import { Late, within } from '../deadline.ts';
import { type Finding, finding } from '../finding.ts';
import type { Probe } from '../probe.ts';
import { lifeOf, readCertificate } from '../shown-certificate.ts';
import type { Place, Subject } from '../subject.ts';
import { NotUsed, type View } from '../view.ts';
import { duration } from '../words.ts';

const looked = 20;
const nameMs = 2_000;

/** The domains that tenants proved (the module `domains`). A handshake is what a visitor makes: it may cost a certificate. */
export const tenantCertificates: Probe = {
  name: "certificates of tenants' domains",
  async look({ subject, db }) {
    const { publicUrl, tlsEdge, place, now } = subject;
    if (!publicUrl?.startsWith('https://')) throw new NotUsed('PUBLIC_URL is no https:// address');
    const { hostname, port } = new URL(publicUrl);
    const sampled = await sample(await db());
    const home = await addressesOf(hostname);
    // One that leads elsewhere gets no certificate from here, and asking for it would count at the authority.
    const leading = await Promise.all(
      sampled.names.map(async (name) =>
        (await addressesOf(name)).some((address) => home.includes(address)) ? [name] : [],
      ),
    );
    const at = tlsEdge ?? { host: hostname, port: Number(port || 443) };
    const seen = await Promise.all(leading.flat().map((name) => examineName(name, at, now())));
    return findingsOf(seen.flat(), { place, of: leading.flat().length, proved: sampled.proved });
  },
};

async function sample(db: Awaited<ReturnType<View['db']>>): Promise<{ names: string[]; proved: number }> {
  const [known] = await db.sql`select to_regprocedure('domains.sample(integer)') is not null as there`;
  if (!known?.there) throw new NotUsed('the module domains has no tables here');
  const rows = await db.sql<{ name: string; proved: string }[]>`select name, proved from domains.sample(${looked})`;
  if (rows.length === 0) throw new NotUsed('no tenant proved a domain');
  return { names: rows.map(({ name }) => name), proved: Number(rows[0]?.proved) };
}

async function addressesOf(name: string): Promise<string[]> {
  const found = await within(nameMs, lookup(name, { all: true })).catch(() => []);
  return found.map(({ address }) => address);
}

interface Seen {
  code: 'tenant_certificate.refused' | 'tenant_certificate.expiring';
  line: string;
}

/** What is wrong with the certificate of one name. That nothing answers is told of the site's own. */
async function examineName(name: string, at: NonNullable<Subject['tlsEdge']>, now: number): Promise<Seen[]> {
  const refused = (why: string): Seen[] => [{ code: 'tenant_certificate.refused', line: `${name}: ${why}` }];
  try {
    const shown = await readCertificate(name, at);
    const { leftSeconds, ending } = lifeOf(shown, now);
    if (checkServerIdentity(name, shown)) return refused('a certificate of another name is shown');
    if (leftSeconds <= 0) return refused('its certificate has expired');
    return ending ? [{ code: 'tenant_certificate.expiring', line: `${name}: ends in ${duration(leftSeconds)}` }] : [];
  } catch (error) {
    const { code = '', message } = error as { code?: string; message: string };
    // The first handshake of all waits for the authority.
    if (error instanceof Late || code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') return [];
    return refused(`no certificate (${code || message})`);
  }
}

function findingsOf(seen: readonly Seen[], about: { place: Place; of: number; proved: number }): Finding[] {
  const log = about.place === 'compose' ? 'docker compose logs --tail 100 caddy' : logs(about.place, 'api');
  const part = (code: Seen['code']) => seen.filter((each) => each.code === code).map(({ line }) => line);
  const told = (code: Seen['code'], what: string, fix: string): Finding[] => {
    const lines = part(code);
    if (lines.length === 0) return [];
    const cause = `Of ${about.of} domains of tenants that lead here and were looked at (${about.proved} are proved), ${lines.length} ${what}.`;
    return [finding(code, { cause, evidence: lines, fix })];
  };
  return [
    ...told(
      'tenant_certificate.refused',
      'have no certificate that browsers accept',
      `${log}: whether the API answered its question, TENANT_DOMAINS is on, and what the authority said.`,
    ),
    ...told(
      'tenant_certificate.expiring',
      'have one that should have been renewed by now',
      `${log}: port 80 or 443 closed to the issuer, or its limits, keep them from being renewed.`,
    ),
  ];
}
