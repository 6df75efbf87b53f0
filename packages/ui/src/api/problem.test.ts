import { expect, it } from 'vitest';
import { call, isSignedOut, isUnexpected, readProblem, unreachable } from './problem.ts';
import { problemMessage, type Translate } from './problem-message.ts';

const document = {
  type: 'about:blank',
  title: 'Gone',
  status: 410,
  detail: 'This link has expired.',
  code: 'accounts.link_expired',
  requestId: 'r-1',
};

function answer(status: number, body: string, headers: Record<string, string> = {}): Response {
  return new Response(body, { status, headers });
}

it('reads a problem document', async () => {
  const problem = await readProblem(
    answer(410, JSON.stringify(document), { 'content-type': 'application/problem+json', 'retry-after': '90' }),
  );
  expect(problem).toEqual({
    code: 'accounts.link_expired',
    status: 410,
    detail: 'This link has expired.',
    requestId: 'r-1',
    retryAfterSeconds: 90,
    fields: [],
  });
});

it('keeps the fields that the API names, and drops what has another shape', async () => {
  const errors = [{ path: 'email', message: 'No.' }, { path: 1 }, null, 'x'];
  const problem = await readProblem(
    answer(400, JSON.stringify({ ...document, errors }), { 'content-type': 'application/problem+json' }),
  );
  expect(problem.fields).toEqual([{ path: 'email', message: 'No.' }]);
});

it.each([
  [502, '<html>Bad gateway</html>', 'text/html', 'service.unreachable'],
  [500, 'Internal Server Error', '', 'service.unreachable'],
  [418, 'teapot', 'text/plain', 'service.unexpected'],
  [503, '{"broken', 'application/json', 'service.unreachable'],
  [400, '[]', 'application/json', 'service.unexpected'],
])('gives %i with %j a code of its own', async (status, body, type, code) => {
  const problem = await readProblem(answer(status, body, { 'content-type': type, 'x-request-id': 'r-2' }));
  expect(problem).toMatchObject({ code, status, requestId: 'r-2', fields: [] });
});

it('answers with data, with null for no content, and never throws', async () => {
  expect(await call(async () => Response.json({ a: 1 }))).toEqual({ ok: true, data: { a: 1 } });
  expect(await call(async () => new Response(null, { status: 204 }))).toEqual({ ok: true, data: null });
  expect(await call(() => Promise.reject(new TypeError('Failed to fetch')))).toEqual({
    ok: false,
    problem: unreachable,
  });
  const html = async () => answer(200, '<html>', { 'content-type': 'text/html' });
  expect(await call(html)).toEqual({ ok: false, problem: unreachable });
});

it('tells a missing session from a wrong password inside one', () => {
  expect(isSignedOut({ code: 'access.sign_in_first', status: 401, fields: [] })).toBe(true);
  expect(isSignedOut({ code: 'accounts.wrong_credentials', status: 401, fields: [] })).toBe(false);
  expect(isUnexpected(unreachable)).toBe(true);
  expect(isUnexpected({ code: 'accounts.link_used', status: 409, fields: [] })).toBe(false);
});

const catalogue: Record<string, string> = {
  'accounts.problems.link_expired': 'Expired.',
  'request.problems.rate_limited': 'Wait {minutes}.',
  'service.problems.unexpected': 'Sorry.',
};
const t: Translate = Object.assign(
  (key: string, values?: Record<string, string | number>) =>
    (catalogue[key] ?? key).replace('{minutes}', String(values?.minutes)),
  { has: (key: string) => key in catalogue },
);

it.each([
  [{ code: 'accounts.link_expired', status: 410, detail: 'From the API.' }, 'Expired.'],
  [{ code: 'billing.card_refused', status: 402, detail: 'From the API.' }, 'From the API.'],
  [{ code: 'nonsense', status: 400 }, 'Sorry.'],
  [{ code: 'request.rate_limited', status: 429, retryAfterSeconds: 61 }, 'Wait 2.'],
  [{ code: 'request.rate_limited', status: 429, retryAfterSeconds: 0 }, 'Wait 1.'],
])('says for %j: %s', (problem, sentence) => {
  expect(problemMessage(t, { fields: [], ...problem })).toBe(sentence);
});
