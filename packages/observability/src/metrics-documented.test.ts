import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { openMetrics } from './metrics.ts';
import { backlogMetrics } from './metrics-backlog.ts';
import { poolMetrics, redisMetrics } from './metrics-connections.ts';
import { requestMetrics } from './metrics-http.ts';
import { countEnqueued, jobMetrics } from './metrics-jobs.ts';

const documentation = readFileSync(new URL('../../../docs/jobs.md', import.meta.url), 'utf8');

it('finds every metric in the one table of docs/jobs.md, with its labels, and nothing else there', async () => {
  const metrics = openMetrics({ service: 'worker', release: '1', modules: [] });
  const closeBacklog = backlogMetrics(metrics, { databaseUrl: 'postgres://nowhere', applicationName: 'suite' });
  const stopCounting = countEnqueued(metrics);
  jobMetrics(metrics);
  requestMetrics(metrics);
  poolMetrics(metrics);
  redisMetrics(metrics, { cache: () => null, queue: () => null });
  const registered = metrics.registry.getMetricsAsArray().flatMap((metric) => {
    // The labels that a metric was made with; prom-client's types leave them out.
    const { name, labelNames } = metric as unknown as { name: string; labelNames: string[] };
    return name.startsWith('ballast_') ? [`${name} ${labelNames.toSorted().join(', ')}`.trim()] : [];
  });
  const rows = [...documentation.matchAll(/^\| `(ballast_\w+)` +\| ([\w, ]*)\|/gm)];
  const told = rows.map(([, name = '', labels = '']) =>
    `${name} ${labels.trim().split(', ').sort().join(', ')}`.trim(),
  );
  expect(told.sort()).toEqual(registered.sort());
  stopCounting();
  await closeBacklog();
  metrics.close();
});
