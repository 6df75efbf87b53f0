import { type Env, endpointMeta, problemOf, problemResponse } from '@ballast/http';
import { AppError } from '@ballast/kernel';
import type { Context, Hono } from 'hono';
import { databaseFault } from './database-fault.ts';

/** The one mapper of errors to answers: problem documents, with whatever is internal kept in the log. */
export function installErrorEdge(app: Hono<Env>): void {
  app.onError((thrown, c) => {
    const error = databaseFault(thrown) ?? thrown;
    const { status, code } = problemOf(error, c.var.requestId);
    const internal = error instanceof AppError ? (error.internal ?? messageOf(error.cause)) : undefined;
    // Only what nobody foresaw is an error with a stack; an outage says its name, once per request.
    if (status >= 500 && !(error instanceof AppError)) c.var.log?.error({ code, error }, 'request failed');
    else if (status >= 500) c.var.log?.warn({ code, internal }, 'request failed');
    else c.var.log?.debug({ code, internal }, 'request refused');
    return problemResponse(error, c.var.requestId);
  });
  app.notFound((c) => {
    const allowed = methodsOf(app, c);
    if (allowed.length === 0)
      throw new AppError('request.not_found', { status: 404, public: 'There is nothing at this address.' });
    const error = new AppError('request.method_not_allowed', {
      status: 405,
      public: `This address takes ${allowed.join(', ')}.`,
    });
    const response = problemResponse(error, c.var.requestId);
    response.headers.set('allow', allowed.join(', '));
    return response;
  });
}

function messageOf(cause: unknown): string | undefined {
  return cause instanceof Error ? cause.message.split('\nparams:')[0] : undefined;
}

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** The methods for which a route of ours would have answered. */
function methodsOf(app: Hono<Env>, c: Context<Env>): string[] {
  return methods.filter((method) => {
    const [handlers] = app.router.match(method, c.req.path);
    return handlers.some(([[handler]]) => endpointMeta(handler) !== null);
  });
}
