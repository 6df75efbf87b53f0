import { openRateLimiter } from '@ballast/cache/rate-limit';
import type { Env, Identity, Membership, RequestContext } from '@ballast/http';
import { createLogger } from '@ballast/observability/logger';
import type { Hono } from 'hono';
import { type AppContext, createApp } from '../app.ts';
import type { Health } from '../http/health.ts';

/** The app around `routes`, without anything behind it: for what the edge does by itself. */
export function edgeApp(
  routes: Hono<Env>,
  options: Partial<AppContext> & { identity?: Identity | null; membership?: Membership | null } = {},
) {
  const lines: string[] = [];
  const log = createLogger({
    level: 'debug',
    base: { service: 'test' },
    destination: { write: (line) => lines.push(line) },
  });
  const { identity = null, membership = null, ...context } = options;
  const app = createApp(
    {
      publicUrl: 'http://localhost:3000',
      trustedProxyHops: 0,
      requestTimeoutMs: 2_000,
      bodyLimitBytes: 10_000,
      release: 'test',
      modules: [],
      log,
      health: healthy,
      edge: {
        identify: async () => identity && { identity, membership },
        limiter: openRateLimiter({ redisUrl: null }),
        open: (caller) =>
          ({ ...caller, tenantId: caller.membership?.organizationId ?? null }) as unknown as RequestContext,
      },
      ...context,
    },
    routes,
  );
  return { app, lines, logged: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

const healthy: Health = {
  report: async () => ({ checks: [], problem: null }),
  notReady: async () => null,
  startDraining() {},
  draining: () => false,
  close: async () => {},
};

/** As the adapter hands over who is connected. */
export const from = (remoteAddress: string) => ({ incoming: { socket: { remoteAddress } } });
