import { randomBytes } from 'node:crypto';
import { type AppError, defineJob, secret } from '@ballast/kernel';
import { parseKeyRing } from '@ballast/kernel/key-ring';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openPayload, problemsOf, sealPayload, shownPayload } from './sealed-payload.ts';

const key = () => randomBytes(32).toString('base64url');
const keys = parseKeyRing(`first:${key()}`);
const job = defineJob({
  name: 'suite.sealed',
  payload: z.strictObject({
    userId: z.string(),
    token: secret(z.string().min(3)),
    login: secret(z.strictObject({ pin: z.int() })).optional(),
  }),
});
const payload = { userId: 'ada', token: 'hunter2', login: { pin: 123_456 } };
const id = '01975f6e-7a2b-7c3d-8e4f-5a6b7c8d9e0f';
const row = (body: unknown, jobId = id) => ({ id: jobId, name: job.name, body, secrets: [...job.secrets] });
const failure = (work: () => unknown) => {
  try {
    work();
  } catch (error) {
    return error as AppError;
  }
  throw new Error('It did not fail.');
};

describe('a sealed payload', () => {
  it('shows its other fields, and opens to what it was', () => {
    const body = sealPayload(keys, job, id, payload);
    for (const value of ['hunter2', '123456', '"pin"']) expect(body).not.toContain(value);
    expect(JSON.parse(body)).toMatchObject({ userId: 'ada', token: expect.stringMatching(/^sealed:v1:first:/) });
    const opened = openPayload(keys, row(JSON.parse(body)));
    expect(opened.payload).toEqual(payload);
    expect(opened.secrets).toEqual(['hunter2', { pin: 123_456 }]);
  });

  it('needs no key for a field that is not there, nor after its secrets were erased', () => {
    const optional = defineJob({
      name: 'suite.sealed',
      payload: z.strictObject({ token: secret(z.string()).optional() }),
    });
    expect(sealPayload(null, optional, id, {})).toBe('{}');
    expect(openPayload(null, row({ userId: 'ada' })).payload).toEqual({ userId: 'ada' });
  });

  it('does not open in another job, nor in another field', () => {
    const body = JSON.parse(sealPayload(keys, job, id, payload));
    const moved = [row(body, id.replace('0f', '1f')), row({ ...body, token: body.login })];
    for (const stolen of moved) {
      expect(failure(() => openPayload(keys, stolen))).toMatchObject({ code: 'secrets.refused', retryable: false });
    }
  });

  it('says what is missing: keys, or one of them', () => {
    const body = JSON.parse(sealPayload(keys, job, id, payload));
    for (const without of [() => sealPayload(null, job, id, payload), () => openPayload(null, row(body))]) {
      expect(failure(without)).toMatchObject({ code: 'secrets.no_keys', retryable: true });
      expect(failure(without).internal).toBe(
        'suite.sealed has secret fields, and ENCRYPTION_KEYS is not set for this process.',
      );
    }
    const other = parseKeyRing(`second:${key()}`);
    expect(failure(() => openPayload(other, row(body)))).toMatchObject({
      code: 'secrets.unknown_key',
      retryable: true,
    });
  });

  it('is shown to people without its secrets', () => {
    const body = JSON.parse(sealPayload(keys, job, id, payload));
    expect(shownPayload(body, [...job.secrets])).toEqual({ userId: 'ada', token: '[secret]', login: '[secret]' });
    expect(shownPayload({ userId: 'ada' }, [...job.secrets])).toEqual({ userId: 'ada' });
    expect(shownPayload({ n: 1 }, null)).toEqual({ n: 1 });
  });
});

it('names a wrong secret and does not repeat what a rule says of it', () => {
  const talkative = defineJob({
    name: 'suite.talkative',
    payload: z
      .strictObject({
        n: z.int(),
        token: secret(z.string().refine(() => false, { error: (issue) => `${issue.input} is bad` })),
      })
      .refine(() => false, { error: (issue) => `all of ${JSON.stringify(issue.input)}` }),
  });
  const wrong = (input: unknown) => problemsOf(talkative, talkative.payload.safeParse(input).error?.issues ?? []);
  expect(wrong({ n: 1.5, token: 'hunter2' })).toMatch(/^n: Invalid input.*; token: is not valid$/);
  expect(wrong({ n: 1, token: 'hunter2', more: 1 })).toContain('Unrecognized key: "more"');
  expect(wrong({ n: 1, token: 'hunter2' })).not.toContain('hunter2');
  expect(wrong('hunter2')).toBe('payload: Invalid input: expected object, received string');
});
