import { checkServerIdentity, connect, type PeerCertificate } from 'node:tls';
import { inContainers, logs } from '../commands.ts';
import { within } from '../deadline.ts';
import { type Finding, finding } from '../finding.ts';
import type { Probe } from '../probe.ts';
import type { Place } from '../subject.ts';
import { NotUsed } from '../view.ts';
import { duration } from '../words.ts';

const connectMs = 5_000;
const daySeconds = 86_400;
/** Two weeks are time enough to act. */
const warnDays = 14;

export const certificate: Probe = {
  name: 'certificate',
  async look({ subject: { publicUrl, tlsEdge, place, now } }) {
    if (!publicUrl?.startsWith('https://')) throw new NotUsed('PUBLIC_URL is no https:// address');
    const { hostname, port } = new URL(publicUrl);
    const places = [{ host: hostname, port: Number(port || 443) }, ...(tlsEdge ? [tlsEdge] : [])];
    const [outside, inside] = await Promise.allSettled(places.map((at) => read(hostname, at)));
    const shown = [outside, inside].find((answer) => answer?.status === 'fulfilled')?.value;
    if (!shown) throw new Error(`PUBLIC_URL does not answer from here: ${reasonOf(outside)}`);
    return judge(shown, hostname, { place, now: now() });
  },
};

/** Whatever is shown, also what nobody should trust: that is what is to be found out. */
function read(hostname: string, at: { host: string; port: number }): Promise<PeerCertificate> {
  const isName = !/^[\d.:[\]]+$/.test(hostname);
  const socket = connect({ ...at, rejectUnauthorized: false, ...(isName ? { servername: hostname } : {}) });
  const shown = new Promise<PeerCertificate>((resolve, reject) => {
    socket.once('secureConnect', () => resolve(socket.getPeerCertificate()));
    socket.once('error', reject);
  });
  return within(connectMs, shown).finally(() => socket.destroy());
}

function reasonOf(answer: PromiseSettledResult<unknown> | undefined): string {
  return answer?.status === 'rejected' ? (answer.reason as Error).message : '';
}

function judge(shown: PeerCertificate, hostname: string, { place, now }: { place: Place; now: number }): Finding[] {
  const [from, to] = [Date.parse(shown.valid_from), Date.parse(shown.valid_to)];
  const leftSeconds = (to - now) / 1_000;
  const lifeSeconds = (to - from) / 1_000;
  const evidence = [
    `shown by ${hostname}: valid until ${new Date(to).toISOString()}, issued by ${shown.issuer?.O ?? shown.issuer?.CN ?? 'nobody'}`,
  ];
  const fix = `${logs(place, inContainers(place) ? 'caddy' : 'api')}: port 80 or 443 closed to the issuer, or DNS that points elsewhere, keep it from being renewed.`;
  const mismatch = checkServerIdentity(hostname, shown);
  if (mismatch) {
    return [
      finding('certificate.other_name', {
        cause: `The certificate is for another name than ${hostname}: browsers refuse the page.`,
        evidence,
        fix: 'Make SITE_ADDRESS and PUBLIC_URL name the same host.',
      }),
    ];
  }
  if (leftSeconds <= 0) {
    return [
      finding('certificate.expired', {
        cause: 'The certificate has expired: browsers refuse the page.',
        evidence,
        fix,
      }),
    ];
  }
  // Short-lived ones, as Caddy's own, are renewed when a third of their life is left.
  const enoughSeconds = lifeSeconds > 30 * daySeconds ? warnDays * daySeconds : lifeSeconds / 6;
  if (leftSeconds > enoughSeconds) return [];
  const cause = `The certificate ends in ${duration(leftSeconds)}, and should have been renewed by now.`;
  return [finding('certificate.expiring', { cause, evidence, fix })];
}
