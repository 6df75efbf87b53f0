import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/** The numbers of one process, as Prometheus reads them. */
export interface Metrics {
  registry: Registry;
  contentType: string;
  /** Everything, in Prometheus' text format. */
  scrape(): Promise<string>;
  /** Stops measuring. */
  close(): void;
}

export interface MetricsOptions {
  /** Which process this is: `api` or `worker`. */
  service: string;
  release: string;
  /** The names of the active modules. */
  modules: readonly string[];
}

/**
 * Opens the metrics of this process: what Node says about itself, the stalls of its
 * event loop, its build and its modules. Others add theirs to the registry.
 *
 * @example
 * const metrics = openMetrics({ service: 'worker', release: '1.4.0', modules: ['accounts'] });
 * await metrics.scrape();
 */
export function openMetrics({ service, release, modules }: MetricsOptions): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'ballast_build_info',
    help: 'Always 1; the labels say which build this process is.',
    labelNames: ['service', 'release', 'node'],
    registers,
  }).set({ service, release, node: process.versions.node }, 1);
  const active = new Gauge({
    name: 'ballast_module_info',
    help: '1 for each module that is on.',
    labelNames: ['module'],
    registers,
  });
  for (const module of modules) active.set({ module }, 1);
  const close = countStalls(registry);
  return { registry, contentType: registry.contentType, scrape: () => registry.metrics(), close };
}

const tickMs = 200;
/** A delay that a person, a lock's renewal or a heartbeat would notice. */
const stallMs = 200;

/** Quantiles since the last scrape hide a single stall; a counter does not. */
function countStalls(registry: Registry): () => void {
  const registers = [registry];
  const stalls = new Counter({
    name: 'ballast_event_loop_stalls_total',
    help: `How often nothing ran for over ${stallMs} ms because something held the event loop.`,
    registers,
  });
  const stalled = new Counter({
    name: 'ballast_event_loop_stalled_seconds_total',
    help: 'How long those stalls took together.',
    registers,
  });
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    const lateMs = now - last - tickMs;
    last = now;
    if (lateMs <= stallMs) return;
    stalls.inc();
    stalled.inc(lateMs / 1_000);
  }, tickMs);
  timer.unref();
  return () => clearInterval(timer);
}
