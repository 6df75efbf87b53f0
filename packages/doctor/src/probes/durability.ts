import { durabilityProblems } from '@ballast/db';
import { finding } from '../finding.ts';
import type { Probe } from '../probe.ts';

export const durability: Probe = {
  name: 'Postgres keeps commits',
  async look({ db }) {
    const problems = await durabilityProblems(await db());
    return problems.map((cause) =>
      finding('database.not_durable', { cause, evidence: [], fix: 'Set it to on in postgresql.conf, and reload.' }),
    );
  },
};
