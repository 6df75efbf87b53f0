import { logs, set, start } from '../commands.ts';
import { type Finding, finding } from '../finding.ts';
import type { Probe } from '../probe.ts';
import type { Endpoint, Place } from '../subject.ts';
import { NotUsed } from '../view.ts';

const answerMs = 5_000;
const sample = /^[a-z_:][\w:]*[ {]/im;
/** Every Ballast says which build it is. */
const mark = /^ballast_build_info\{/m;

export const metrics: Probe = {
  name: 'metrics are served',
  async look({ subject: { metrics, place } }) {
    if (metrics.length === 0) throw new NotUsed('where processes listen is not known here');
    return (await Promise.all(metrics.map((endpoint) => examineEndpoint(endpoint, place)))).flat();
  },
};

async function examineEndpoint({ name, url, setting }: Endpoint, place: Place): Promise<Finding[]> {
  if (url === null) {
    return [
      finding('metrics.off', {
        cause: `The ${name} serves no metrics: ${setting} is not set.`,
        evidence: [],
        fix: set(place, name, `${setting}=3003`),
      }),
    ];
  }
  let seen: { status: number; text: string };
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(answerMs), redirect: 'manual' });
    seen = { status: response.status, text: await response.text() };
  } catch (error) {
    const { cause, message } = error as { cause?: { code?: string }; message: string };
    return [
      finding('metrics.unreachable', {
        cause: `Nothing serves ${url}: the ${name} does not run or hangs, or listens elsewhere than ${setting} says.`,
        evidence: [`${url}: ${cause?.code ?? message}`],
        fix: `${start(place, name)} (why it ended: ${logs(place, name)})`,
      }),
    ];
  }
  if (mark.test(seen.text)) return [];
  const evidence = [`${url}: status ${seen.status}, ${seen.text.length} characters, no ballast_build_info`];
  const empty = seen.status === 200 && !sample.test(seen.text);
  return [
    finding(empty ? 'metrics.empty' : 'metrics.not_ballast', {
      cause: empty
        ? `${url} is empty.`
        : `What answers at ${url} is not Ballast: another process has the port of ${setting}, or a proxy stands before it.`,
      evidence,
      fix: `Give ${setting} a port of its own, and point the scrape at it.`,
    }),
  ];
}
