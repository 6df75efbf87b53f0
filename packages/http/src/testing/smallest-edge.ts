/**
 * The door for tests of modules: routes behind the smallest edge that `endpoint()` needs, asked without a server.
 *
 * @example
 * const app = behindSmallestEdge(routes, edge, log);
 * expect(await ask(app, 'GET', '/requests')).toMatchObject({ status: 401 });
 */
import { AppError, type Log } from '@ballast/kernel';
import { Hono, type Schema } from 'hono';
import type { Edge, Env } from '../context.ts';
import { problemResponse } from '../problem.ts';

/** A module's `routes.ts`, or its `internal.ts`. */
export type Routes = Hono<Env, Schema, string>;

export interface Asked {
  /** Sent as JSON; a text as it is. */
  body?: unknown;
  headers?: Record<string, string>;
  /** Where the caller comes from. */
  address?: string | undefined;
}

export interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers of many shapes
  body: any;
  headers: Headers;
}

const addressHeader = 'x-test-address';
const requestId = 'request-1';

/** An app in which nothing stands before `routes` but what `endpoint()` reads. */
export function behindSmallestEdge(routes: Routes, edge: Edge, log: Log): Hono<Env> {
  const app = new Hono<Env>();
  app.use(async (c, next) => {
    c.set('requestId', requestId);
    c.set('edge', edge);
    c.set('address', c.req.header(addressHeader) ?? '127.0.0.1');
    c.set('signal', c.req.raw.signal);
    c.set('log', log);
    await next();
  });
  app.onError((error) => {
    // A test would show a 500 and no reason: the problem document keeps it in.
    if (!(error instanceof AppError) && problemResponse(error, requestId).status >= 500) console.error(error);
    return problemResponse(error, requestId);
  });
  return app.route('/', routes);
}

export async function ask(app: Hono<Env>, method: string, path: string, asked: Asked = {}): Promise<Answer> {
  const { body, headers, address } = asked;
  const response = await app.request(path, {
    method,
    headers: {
      ...(address === undefined ? {} : { [addressHeader]: address }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text ? JSON.parse(text) : null, headers: response.headers };
}
