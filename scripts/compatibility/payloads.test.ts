import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { jobs } from '../../apps/api/src/generated/jobs.ts';
import { refusedPayloads } from './payloads.ts';

const item = z.strictObject({ id: z.uuid(), kind: z.enum(['small', 'large']), tags: z.array(z.string()).optional() });
const job = (payload: z.ZodType, version = 1) => [{ name: 'shop.ship', version, payload }];
const problems = (next: z.ZodType, version = 1) => refusedPayloads(job(item), job(next, version));

describe('a payload of the previous release', () => {
  it.each<[string, z.ZodType]>([
    ['the same', z.strictObject(item.shape)],
    ['with one more that may be absent', item.extend({ note: z.string().optional() })],
    ['with one more that has a default', item.extend({ size: z.number().default(1) })],
    ['with one more choice', item.extend({ kind: z.enum(['small', 'large', 'huge']) })],
    ['with one that may also be null', item.extend({ id: z.uuid().nullable() })],
    ['with one that may be absent now', item.extend({ kind: item.shape.kind.optional() })],
    ['that takes anything else too', z.looseObject({ id: z.uuid() })],
  ])('is taken by one that is wider: %s', (_, next) => {
    expect(problems(next)).toEqual([]);
  });

  it.each<[string, z.ZodType]>([
    ['note is required now', item.extend({ note: z.string() })],
    ['tags is required now', item.extend({ tags: z.array(z.string()) })],
    ['kind may not be large any more', item.extend({ kind: z.enum(['small']) })],
    ['tags is refused now', item.omit({ tags: true })],
    ['id is of another form', item.extend({ id: z.number() })],
    ['an item of tags is of another form', item.extend({ tags: z.array(z.number()).optional() })],
    ['the payload is of another form', z.string()],
  ])('is refused, by name: %s', (what, next) => {
    expect(problems(next)).toEqual([expect.stringContaining(`shop.ship@1: ${what}. Raise its version`)]);
    // Under another version it meets no old job.
    expect(problems(next, 2)).toEqual([]);
  });

  it('can be read of every job of this checkout', () => {
    const own = jobs.map(({ job: { name, version, payload } }) => ({ name, version, payload: payload as z.ZodType }));
    expect(own.length).toBeGreaterThan(5);
    expect(refusedPayloads(own, own)).toEqual([]);
    const stricter = own.map(({ payload, ...rest }) => ({
      ...rest,
      payload: (payload as z.ZodObject).extend({ more: z.string() }),
    }));
    expect(refusedPayloads(own, stricter)).toHaveLength(own.length);
  });
});
