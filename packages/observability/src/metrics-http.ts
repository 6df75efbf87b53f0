import { Histogram } from 'prom-client';
import type { Metrics } from './metrics.ts';

export interface AnsweredRequest {
  method: string;
  /** The route's pattern, such as `/api/support/requests/:id`; null when none matched. Never the path: people choose it. */
  route: string | null;
  status: number;
  seconds: number;
}

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Measures requests. Every label comes from a list that callers cannot lengthen. */
export function requestMetrics({ registry }: Metrics): (request: AnsweredRequest) => void {
  const duration = new Histogram({
    name: 'ballast_http_request_seconds',
    help: 'How long requests took, by route pattern.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15],
    registers: [registry],
  });
  return ({ method, route, status, seconds }) =>
    duration.observe(
      {
        method: methods.has(method) ? method : 'other',
        route: route ?? 'none',
        status: `${Math.floor(status / 100)}xx`,
      },
      seconds,
    );
}
