import { AppError } from '@ballast/kernel';
import { HTTPException } from 'hono/http-exception';
import { resolver } from 'hono-openapi';
import { z } from 'zod';

/** Every error's body: RFC 9457, with a stable `code` to branch on and the id to quote to support. */
export const problemSchema = z
  .object({
    type: z.string().describe('Always `about:blank`: the code says which problem it is.'),
    title: z.string().describe("The status in words, such as 'Not Found'."),
    status: z.int(),
    detail: z.string().describe('One sentence for a person: what happened and what to do.'),
    code: z.string().describe('Stable and dotted, such as `accounts.link_expired`.'),
    requestId: z.string().describe('Quote it to support; the log carries it.'),
    errors: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .optional()
      .describe('Which fields are wrong.'),
  })
  .meta({ id: 'Problem' });

export type Problem = z.output<typeof problemSchema>;

/** For responses in the OpenAPI document. */
export const problemContent = { 'application/problem+json': { schema: resolver(problemSchema) } };

/**
 * The public face of anything thrown. What is not an AppError is a fault of ours:
 * its message stays in the log.
 */
export function problemOf(error: unknown, requestId: string): Problem {
  const known = asAppError(error);
  return {
    type: 'about:blank',
    title: titles[known.status] ?? 'Error',
    status: known.status,
    detail: known.public,
    code: known.code,
    requestId,
    ...(known.fields ? { errors: [...known.fields] } : {}),
  };
}

/** The problem document as a response, with `Retry-After` when a repeat can help. */
export function problemResponse(error: unknown, requestId: string): Response {
  const problem = problemOf(error, requestId);
  const headers = new Headers({ 'content-type': 'application/problem+json', 'cache-control': 'no-store' });
  const wait = error instanceof AppError ? error.retryAfterSeconds : undefined;
  if (wait !== undefined) headers.set('retry-after', String(Math.max(1, Math.ceil(wait))));
  return new Response(JSON.stringify(problem), { status: problem.status, headers });
}

function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof HTTPException && error.status < 500) {
    return new AppError(error.status === 400 ? 'request.invalid_json' : 'request.refused', {
      status: error.status,
      public: error.status === 400 ? 'The body is not valid JSON.' : 'The request was refused.',
    });
  }
  return new AppError('internal.unexpected', {
    status: 500,
    public: 'Something went wrong on our side. Try again, and quote the request id if it keeps happening.',
  });
}

const titles: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  410: 'Gone',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};
