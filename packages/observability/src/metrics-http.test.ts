import { expect, it } from 'vitest';
import { openMetrics } from './metrics.ts';
import { requestMetrics } from './metrics-http.ts';
import { parseMetrics } from './testing/parse-metrics.ts';

it('measures by method, route pattern and class of status, whatever callers send', async () => {
  const metrics = openMetrics({ service: 'api', release: '1', modules: [] });
  const answered = requestMetrics(metrics);
  answered({ method: 'GET', route: '/api/support/requests/:id', status: 200, seconds: 0.02 });
  answered({ method: 'GET', route: '/api/support/requests/:id', status: 204, seconds: 0.2 });
  answered({ method: 'PROPFIND"\n', route: null, status: 404, seconds: 0.001 });
  const samples = parseMetrics(await metrics.scrape());
  const get = 'method="GET",route="/api/support/requests/:id",status="2xx"';
  expect(samples.get(`ballast_http_request_seconds_count{${get}}`)).toBe(2);
  expect(samples.get(`ballast_http_request_seconds_bucket{le="0.025",${get}}`)).toBe(1);
  expect(samples.get('ballast_http_request_seconds_count{method="other",route="none",status="4xx"}')).toBe(1);
  metrics.close();
});
