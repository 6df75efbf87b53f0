import fc from 'fast-check';
import { hourMs } from '../held-run.ts';
import { type Kind, kinds, tenants } from '../system.ts';
import { command } from './command.ts';

/** A job is added: now or for later, with or without a key, perhaps to be discarded. */
export const add = fc
  .record({
    kind: fc.constantFrom<Kind>('often', 'often', 'often', 'often', 'limited', 'limited', 'once', 'foreign'),
    tenant: fc.constantFrom(...tenants),
    key: fc.option(fc.constantFrom('a', 'b'), { nil: null, freq: 1 }),
    later: fc.constantFrom(false, false, false, true),
    priority: fc.integer({ min: -1, max: 1 }),
    discard: fc.constantFrom<'none' | 'ahead' | 'passed'>('none', 'none', 'none', 'none', 'none', 'ahead', 'passed'),
  })
  .map((given) => {
    const { kind, tenant, key, later, priority, discard } = given;
    return command(`add(${JSON.stringify(given)})`, {
      async happen(model, system) {
        const job = kinds[kind];
        const id = await system.add(kind, tenant, {
          priority,
          ...(key === null ? {} : { key }),
          ...(later ? { runAt: new Date(Date.now() + hourMs) } : {}),
          ...(discard === 'none'
            ? {}
            : { discardAfter: new Date(Date.now() + (discard === 'ahead' ? hourMs : -hourMs)) }),
        });
        const waiting = model.jobs.find((one) => {
          return key !== null && one.key === key && one.name === job.name && one.tenant === tenant;
        });
        // What may no longer start takes nobody along: it leaves its key to the new one.
        if (waiting?.discard === 'passed') waiting.key = null;
        else if (waiting && waiting.id !== id)
          throw new Error(`The key ${key} belongs to ${waiting.id}, and ${id} was added.`);
        else if (waiting) return;
        model.jobs.push({
          id,
          name: job.name,
          foreign: kind === 'foreign',
          tenant,
          attempts: job.attempts,
          place: later ? 'later' : 'due',
          heldFrom: 'due',
          ripe: false,
          attempt: 0,
          alone: false,
          started: false,
          discard,
          key,
          effects: new Set(),
        });
      },
    });
  });
