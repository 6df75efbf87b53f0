import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineJob } from './define-job.ts';
import { secret } from './secret-field.ts';

const secretsOf = (payload: z.ZodType) => defineJob({ name: 'test.job', payload }).secrets;

describe('secret', () => {
  it('is found at each field of the payload that has it', () => {
    expect(secretsOf(z.strictObject({ id: z.uuid(), token: secret(z.string()), code: secret(z.int()) }))).toEqual([
      'token',
      'code',
    ]);
    expect(secretsOf(z.strictObject({ id: z.uuid() }))).toEqual([]);
  });

  it.each<[string, z.ZodType]>([
    ['a rule added later', secret(z.string()).min(8).max(20)],
    ['a refinement', secret(z.string()).refine((text) => text !== '')],
    ['a description', secret(z.string()).describe('the token').meta({ title: 'x' })],
    ['optional', secret(z.string()).optional()],
    ['nullable and a default', secret(z.string()).nullable().default(null)],
    ['optional inside', secret(z.string().optional())],
    ['a transformation', secret(z.string()).transform((text) => text.trim())],
    ['a brand', secret(z.string()).brand('token').readonly()],
    ['a whole object', secret(z.strictObject({ user: z.string(), password: z.string() }))],
  ])('survives %s', (_case, token) => {
    expect(secretsOf(z.strictObject({ id: z.uuid(), token }))).toEqual(['token']);
  });

  it('survives what makes one object of another', () => {
    const base = z.strictObject({ token: secret(z.string()) });
    expect(secretsOf(base.extend({ id: z.uuid() }))).toEqual(['token']);
    expect(secretsOf(base.partial())).toEqual(['token']);
    expect(secretsOf(base.refine(() => true))).toEqual(['token']);
  });

  it.each<[string, z.ZodType]>([
    ['an object', z.strictObject({ token: secret(z.string()) })],
    ['a list', z.array(secret(z.string()))],
    ['a union', z.union([z.int(), secret(z.string())])],
    ['a record', z.record(z.string(), secret(z.string()))],
    ['a tuple', z.tuple([z.int(), secret(z.string())])],
    ['something lazy', z.lazy(() => z.strictObject({ token: secret(z.string()) }))],
    ['an optional object', z.strictObject({ a: z.array(z.strictObject({ token: secret(z.string()) })) }).optional()],
  ])('is refused inside %s, by the name of the job and the field', (_case, auth) => {
    expect(() => secretsOf(z.strictObject({ id: z.uuid(), auth }))).toThrow(
      /^test\.job: there is a secret inside `auth`, and only a field of the payload's own object can be secret/,
    );
  });

  it('is refused where the payload is no object', () => {
    expect(() => secretsOf(secret(z.string()))).toThrow(/secret inside `payload`/);
    expect(() => secretsOf(z.union([z.strictObject({ token: secret(z.string()) }), z.strictObject({})]))).toThrow(
      /secret inside `payload`/,
    );
  });

  it('does not lose its way in a schema that holds itself', () => {
    interface Tree {
      children: Tree[];
    }
    const tree: z.ZodType<Tree> = z.strictObject({ children: z.array(z.lazy(() => tree)) });
    expect(secretsOf(z.strictObject({ tree, token: secret(z.string()) }))).toEqual(['token']);
  });
});
