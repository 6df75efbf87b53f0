import { AppError, type FieldProblem } from '@ballast/kernel';
import { validator } from 'hono-openapi';
import { z } from 'zod';
import type { Env } from './context.ts';

/**
 * Validates one part of the request, and describes it in the OpenAPI document.
 * Unknown fields are refused. A refusal is 400 `request.invalid` and names the
 * fields; it never repeats what was sent (the validator's own answer would,
 * passwords included).
 *
 * @example
 * validate('json', z.strictObject({ email: z.email() }))
 */
export function validate<Schema extends z.ZodType, Target extends 'json' | 'query' | 'param', Path extends string>(
  target: Target,
  schema: Schema,
) {
  return validator<Schema, Target, Env, Path>(target, refuseUnknown(schema), (result) => {
    if (!result.success) throw invalid(result.error);
  });
}

/** `z.object` drops unknown fields in silence; a caller who mistyped one should hear of it. */
function refuseUnknown<Schema extends z.ZodType>(schema: Schema): Schema {
  if (!(schema instanceof z.ZodObject) || schema.def.catchall) return schema;
  return schema.strict() as unknown as Schema;
}

type Issue = {
  message: string;
  path?: readonly (PropertyKey | { key: PropertyKey })[] | undefined;
  code?: string;
  keys?: string[];
};

function invalid(issues: readonly Issue[]): AppError {
  const fields = issues.flatMap(problemsOf).slice(0, 50);
  return new AppError('request.invalid', {
    status: 400,
    public: 'Some fields are missing or wrong; `errors` names them.',
    fields,
  });
}

function problemsOf(issue: Issue): FieldProblem[] {
  const path = (issue.path ?? []).map((step) => String(typeof step === 'object' ? step.key : step));
  if (issue.code === 'unrecognized_keys') {
    return (issue.keys ?? []).map((key) => ({ path: joined([...path, key]), message: 'Unknown field.' }));
  }
  return [{ path: joined(path), message: issue.message }];
}

/** Names come from the caller, so they are cut: an answer must not grow with what was sent. */
function joined(path: string[]): string {
  return path.join('.').slice(0, 100);
}
