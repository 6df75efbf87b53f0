import fc from 'fast-check';
import { agree } from '../agreement.ts';
import type { Model } from '../model.ts';
import type { System } from '../system.ts';

type Command = fc.AsyncCommand<Model, System>;

/** One thing that happens: to the tables, to the model, and then both must agree. */
export function command(
  name: string,
  {
    possible = () => true,
    happen,
  }: { possible?(model: Model): boolean; happen(model: Model, system: System): Promise<void> },
): Command {
  return {
    check: possible,
    async run(model, system) {
      await happen(model, system);
      await agree(system.jobsDb, model);
    },
    toString: () => name,
  };
}

/** A number that picks one of however many there are when its command runs. */
export const which = fc.nat({ max: 99 });

export function pick<Item>(items: readonly Item[], number: number): Item {
  return items[number % items.length] as Item;
}
