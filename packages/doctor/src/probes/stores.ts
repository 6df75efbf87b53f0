import { describeStore, judgeStores } from '@ballast/jobs/guard';
import { finding } from '../finding.ts';
import type { Probe } from '../probe.ts';

export const stores: Probe = {
  name: 'queue keeps jobs',
  async look({ queue, cache }) {
    const server = await describeStore(await queue());
    // A cache that is away has a probe of its own.
    const beside = await cache().then(describeStore, () => null);
    const { refusals, warnings } = judgeStores(server, beside);
    const evidence = [`maxmemory-policy ${server.policy}, append-only file ${server.appendOnly ? 'on' : 'off'}`];
    return [...refusals, ...warnings].map(({ code, cause, fix }) =>
      finding(code, { cause: capital(cause), evidence, fix }),
    );
  },
};

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
