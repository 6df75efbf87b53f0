/** The kinds of job that the soak runs, and the options of each. Their handlers are in `handlers.ts`. */
import { defineJob } from '@ballast/kernel';
import { z } from 'zod';

export const payload = z.strictObject({
  /** Its number in the plan, which is no secret to the sinks. */
  n: z.int(),
  /** How long the handler takes, and where: what is killed there must be repeated as if it had not been. */
  pauseMs: z.int(),
  pauseAt: z.enum(['start', 'outside', 'commit']),
  /** How many of its first attempts fail. */
  failures: z.int(),
  /** Takes its worker down. */
  kills: z.boolean(),
});
export type Payload = z.infer<typeof payload>;

/** So many that no number of kills uses them up. */
const endless = { payload, attempts: 30_000, backoff: { firstMs: 200, maxMs: 2_000 } };

export const jobs = {
  plain: defineJob({ ...endless, name: 'soak.plain' }),
  transaction: defineJob({ ...endless, name: 'soak.transaction' }),
  steps: defineJob({ ...endless, name: 'soak.steps' }),
  batch: defineJob({ ...endless, name: 'soak.batch', queue: 'bulk', batch: 25 }),
  limited: defineJob({ ...endless, name: 'soak.limited', concurrency: 3 }),
  keyed: defineJob({ ...endless, name: 'soak.keyed' }),
  parent: defineJob({ ...endless, name: 'soak.parent' }),
  child: defineJob({ ...endless, name: 'soak.child' }),
  mail: defineJob({ ...endless, name: 'soak.mail' }),
  snoozing: defineJob({ ...endless, name: 'soak.snoozing' }),
  cancelling: defineJob({ ...endless, name: 'soak.cancelling' }),
  stale: defineJob({ ...endless, name: 'soak.stale' }),
  doomed: defineJob({ ...endless, name: 'soak.doomed', attempts: 3 }),
  once: defineJob({ ...endless, name: 'soak.once', attempts: 1 }),
  poison: defineJob({ ...endless, name: 'soak.poison', attempts: 1 }),
  risky: defineJob({ ...endless, name: 'soak.risky', attempts: 3 }),
};

export type Kind = keyof typeof jobs;

/** The most packs of `limited` that may be out at once. */
export const limit = 3;
