import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { inContainers, logs } from '../commands.ts';
import { type Finding, finding } from '../finding.ts';
import type { Probe } from '../probe.ts';
import { lifeOf, readCertificate } from '../shown-certificate.ts';
import type { Place } from '../subject.ts';
import { NotUsed } from '../view.ts';
import { duration } from '../words.ts';

export const certificate: Probe = {
  name: 'certificate',
  async look({ subject: { publicUrl, tlsEdge, place, now } }) {
    if (!publicUrl?.startsWith('https://')) throw new NotUsed('PUBLIC_URL is no https:// address');
    const { hostname, port } = new URL(publicUrl);
    const places = [{ host: hostname, port: Number(port || 443) }, ...(tlsEdge ? [tlsEdge] : [])];
    const [outside, inside] = await Promise.allSettled(places.map((at) => readCertificate(hostname, at)));
    const shown = [outside, inside].find((answer) => answer?.status === 'fulfilled')?.value;
    if (!shown) throw new Error(`PUBLIC_URL does not answer from here: ${reasonOf(outside)}`);
    return judge(shown, hostname, { place, now: now() });
  },
};

function reasonOf(answer: PromiseSettledResult<unknown> | undefined): string {
  return answer?.status === 'rejected' ? (answer.reason as Error).message : '';
}

function judge(shown: PeerCertificate, hostname: string, { place, now }: { place: Place; now: number }): Finding[] {
  const { to, leftSeconds, ending } = lifeOf(shown, now);
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
  if (!ending) return [];
  const cause = `The certificate ends in ${duration(leftSeconds)}, and should have been renewed by now.`;
  return [finding('certificate.expiring', { cause, evidence, fix })];
}
