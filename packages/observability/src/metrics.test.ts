import { describe, expect, it } from 'vitest';
import { openMetrics } from './metrics.ts';
import { parseMetrics } from './testing/parse-metrics.ts';

const open = () => openMetrics({ service: 'worker', release: '1.2.3', modules: ['accounts', 'support'] });

describe('openMetrics', () => {
  it('says which build runs, with which modules, and what Node says about itself', async () => {
    const metrics = open();
    const samples = parseMetrics(await metrics.scrape());
    expect(metrics.contentType).toContain('version=0.0.4');
    expect(samples.get(`ballast_build_info{node="${process.versions.node}",release="1.2.3",service="worker"}`)).toBe(1);
    expect(samples.get('ballast_module_info{module="support"}')).toBe(1);
    expect(samples.get('process_cpu_seconds_total')).toBeGreaterThan(0);
    expect(samples.has('nodejs_eventloop_lag_p99_seconds')).toBe(true);
    metrics.close();
  });

  it('counts stalls of the event loop, and no ordinary work', async () => {
    const metrics = open();
    const stalls = async () => parseMetrics(await metrics.scrape()).get('ballast_event_loop_stalls_total');
    await new Promise((resolve) => setTimeout(resolve, 250));
    const before = (await stalls()) ?? 0;
    const until = performance.now() + 700;
    while (performance.now() < until);
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect(await stalls()).toBeGreaterThan(before);
    const seconds = parseMetrics(await metrics.scrape()).get('ballast_event_loop_stalled_seconds_total');
    expect(seconds).toBeGreaterThan(0.4);
    metrics.close();
  });

  it('keeps registries apart', () => {
    const [one, two] = [open(), open()];
    expect(one.registry).not.toBe(two.registry);
    one.close();
    two.close();
  });
});
