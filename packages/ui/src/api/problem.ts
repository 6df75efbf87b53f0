/**
 * What went wrong with a request, whoever said so: the API (a problem document), something in
 * between (a proxy's plain 502), or nobody (no connection). `code` is what the catalogue is asked for.
 */
export interface Problem {
  code: string;
  status: number;
  /** A public sentence from the API, for codes that the catalogue does not know. */
  detail?: string;
  requestId?: string;
  retryAfterSeconds?: number;
  fields: readonly { path: string; message: string }[];
}

export type Result<Data> = { ok: true; data: Data } | { ok: false; problem: Problem };

/** Codes given here, in the browser or the web server, not by the API. */
export const unreachable: Problem = { code: 'service.unreachable', status: 0, fields: [] };

interface TypedResponse<Data> {
  ok: boolean;
  status: number;
  headers: Headers;
  json(): Promise<Data>;
  text(): Promise<string>;
}

/** The body of an OK answer. Problem documents are thrown by the API, so that its route types do not carry them. */
type DataOf<Response> = Response extends { status: 204 }
  ? null
  : Response extends TypedResponse<infer Data>
    ? Data
    : never;

/**
 * Makes one request and never throws for what the network or the API did.
 *
 * @example
 * const result = await call(() => accounts.me.$get());
 * if (result.ok) result.data.user.name;
 */
export async function call<Response extends TypedResponse<unknown>>(
  send: () => Promise<Response>,
): Promise<Result<DataOf<Response>>> {
  try {
    const response = await send();
    if (!response.ok) return { ok: false, problem: await readProblem(response) };
    const empty = response.status === 204 || response.headers.get('content-length') === '0';
    return { ok: true, data: (empty ? null : await response.json()) as DataOf<Response> };
  } catch {
    return { ok: false, problem: unreachable };
  }
}

/** Reads an answer that is not OK. What is no problem document came from something in front of the API. */
export async function readProblem(
  response: Pick<TypedResponse<unknown>, 'status' | 'headers' | 'text'>,
): Promise<Problem> {
  const requestId = response.headers.get('x-request-id') ?? undefined;
  const isProblem = response.headers.get('content-type')?.includes('json') ?? false;
  const body = isProblem ? parseObject(await response.text()) : {};
  const retryAfter = Number.parseInt(response.headers.get('retry-after') ?? '', 10);
  const problem: Problem = {
    code:
      typeof body.code === 'string' ? body.code : response.status >= 500 ? 'service.unreachable' : 'service.unexpected',
    status: response.status,
    fields: fieldsOf(body.errors),
  };
  if (typeof body.detail === 'string') problem.detail = body.detail;
  const id = typeof body.requestId === 'string' ? body.requestId : requestId;
  if (id) problem.requestId = id;
  if (Number.isFinite(retryAfter)) problem.retryAfterSeconds = retryAfter;
  return problem;
}

/** Whether the session is missing or over, and not just a wrong password inside a valid one. */
export function isSignedOut(problem: Problem): boolean {
  return problem.status === 401 && !problem.code.startsWith('accounts.');
}

/** Whether a person can do nothing about it but try again, and should be given the request id. */
export function isUnexpected(problem: Problem): boolean {
  return problem.status === 0 || problem.status >= 500;
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function fieldsOf(errors: unknown): Problem['fields'] {
  if (!Array.isArray(errors)) return [];
  return errors.flatMap((error: unknown) => {
    const { path, message } = (error ?? {}) as Record<string, unknown>;
    return typeof path === 'string' && typeof message === 'string' ? [{ path, message }] : [];
  });
}
