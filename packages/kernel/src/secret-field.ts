import { z } from 'zod';

/** Kept in the schema's own list of checks, so that `secret(z.string()).min(8)` is as secret as what it was made from. */
const mark = z.check(() => {});

/**
 * Marks a field of a job's payload as secret: encrypted before it reaches Postgres,
 * shown as `[secret]`, and erased when the job is done or cancelled.
 *
 * @example
 * payload: z.strictObject({ userId: z.uuid(), token: secret(z.string()) })
 */
export function secret<Schema extends z.ZodType>(schema: Schema): Schema {
  return schema.check(mark);
}

/** What `[secret]` fields are shown as. */
export const secretShown = '[secret]';

/** The secret fields of a payload, by name. One that lies deeper is refused: `job` is named in the error. */
export function secretFieldsOf(job: string, payload: z.ZodType): string[] {
  const def = definitionOf(payload);
  const fields = def.type === 'object' ? Object.entries(def.shape as Record<string, z.ZodType>) : [];
  const found = fields.filter(([, field]) => isSecret(field)).map(([name]) => name);
  const seen = new Set<unknown>();
  const nested =
    def.type === 'object'
      ? fields.filter(([name]) => !found.includes(name)).find(([, field]) => holdsSecret(field, seen))?.[0]
      : holdsSecret(payload, seen) && 'payload';
  if (!nested) return found;
  throw new Error(
    `${job}: there is a secret inside \`${nested}\`, and only a field of the payload's own object can be secret. ` +
      'Move it there, or mark the whole field: secret(z.strictObject({ … })).',
  );
}

type Definition = { type: string; checks?: unknown[]; innerType?: z.ZodType; in?: z.ZodType } & Record<string, unknown>;

/** zod types a definition by its kind, of which there are dozens; what is looked for here may be in any of them. */
const definitionOf = (schema: z.ZodType) => schema._zod.def as unknown as Definition;

/** Also through `.optional()`, `.nullable()`, `.default()`, `.transform()` and their kind. */
function isSecret(schema: z.ZodType): boolean {
  const def = definitionOf(schema);
  if (def.checks?.includes(mark)) return true;
  const inner = def.innerType ?? def.in;
  return inner !== undefined && isSecret(inner);
}

/** Looks at every schema that this one is made of, whatever kind it is. */
function holdsSecret(value: unknown, seen: Set<unknown>): boolean {
  if (typeof value !== 'object' || value === null || seen.has(value)) return false;
  seen.add(value);
  if (!('_zod' in value)) return Object.values(value).some((part) => holdsSecret(part, seen));
  // As above; a lazy schema has no inner one in its definition, but beside it.
  const { def, innerType } = (value as z.ZodType)._zod as unknown as { def: Definition; innerType?: unknown };
  if (def.checks?.includes(mark)) return true;
  const { checks, ...parts } = def;
  return (def.type === 'lazy' && holdsSecret(innerType, seen)) || holdsSecret(parts, seen);
}
