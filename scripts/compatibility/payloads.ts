/**
 * Whether jobs that one release put down can be run by the next. A worker takes what it knows by name and version, so under
 * one version the payload may only become wider; anything else needs a new version, which old workers leave alone.
 */
import { z } from 'zod';

export interface PayloadOfJob {
  name: string;
  version: number;
  payload: z.ZodType;
}

/** A sentence for each payload of `older` that `newer` would refuse, or would not be sure to take. */
export function refusedPayloads(older: readonly PayloadOfJob[], newer: readonly PayloadOfJob[]): string[] {
  const known = new Map(newer.map((job) => [nameOf(job), job]));
  return older.flatMap((job) => {
    const successor = known.get(nameOf(job));
    // Nobody knows it any more: it is parked, and not failed.
    if (!successor) return [];
    return narrowed(schemaOf(job), schemaOf(successor), 'the payload').map(
      (what) => `${nameOf(job)}: ${what}. Raise its version, and know the former one too until its jobs are done.`,
    );
  });
}

const nameOf = ({ name, version }: PayloadOfJob) => `${name}@${version}`;

interface Schema {
  type?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  items?: Schema;
  anyOf?: Schema[];
  enum?: unknown[];
}

const schemaOf = ({ payload }: PayloadOfJob) =>
  z.toJSONSchema(payload, { io: 'input', unrepresentable: 'any' }) as Schema;

/** What `newer` takes less of. What is neither the same nor plainly wider counts as less. */
function narrowed(older: Schema, newer: Schema, where: string): string[] {
  if (JSON.stringify(older) === JSON.stringify(newer)) return [];
  if (newer.anyOf) {
    const choices = newer.anyOf;
    const taken = (older.anyOf ?? [older]).every((one) =>
      choices.some((other) => narrowed(one, other, where).length === 0),
    );
    return taken ? [] : [`${where} has fewer forms`];
  }
  if (older.enum && newer.enum) {
    const gone = older.enum.filter((value) => !newer.enum?.includes(value));
    return gone.length === 0 ? [] : [`${where} may not be ${gone.join(' or ')} any more`];
  }
  if (older.type === 'object' && newer.type === 'object') return narrowedObject(older, newer, where);
  if (older.type === 'array' && newer.type === 'array' && older.items && newer.items) {
    return narrowed(older.items, newer.items, `an item of ${where}`);
  }
  return [`${where} is of another form`];
}

function narrowedObject(older: Schema, newer: Schema, where: string): string[] {
  const [before, after] = [older.properties ?? {}, newer.properties ?? {}];
  const inside = (name: string) => (where === 'the payload' ? name : `${name} of ${where}`);
  const demanded = (newer.required ?? []).filter((name) => !older.required?.includes(name));
  return [
    ...demanded.map((name) => `${inside(name)} is required now`),
    ...Object.entries(before).flatMap(([name, schema]) => {
      const successor = after[name];
      if (successor) return narrowed(schema, successor, inside(name));
      return newer.additionalProperties === false ? [`${inside(name)} is refused now`] : [];
    }),
  ];
}
