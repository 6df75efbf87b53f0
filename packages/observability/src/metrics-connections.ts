import { openPools, type PoolState } from '@ballast/db';
import { Gauge } from 'prom-client';
import type { Metrics } from './metrics.ts';

const states = ['used', 'idle', 'connecting'] as const satisfies (keyof PoolState)[];

/** Adds every pool of Postgres connections that this process has open, as it is at the scrape. */
export function poolMetrics({ registry }: Metrics): void {
  const registers = [registry];
  new Gauge({
    name: 'ballast_postgres_pool_connections',
    help: 'Connections: used (a statement runs, or a transaction is open), idle, connecting.',
    labelNames: ['pool', 'state'],
    registers,
    collect() {
      this.reset();
      for (const [pool, of] of openPools()) for (const state of states) this.set({ pool, state }, of[state]);
    },
  });
  for (const [name, help, value] of gauges) {
    new Gauge({
      name,
      help,
      labelNames: ['pool'],
      registers,
      collect() {
        this.reset();
        for (const [pool, state] of openPools()) this.set({ pool }, value(state));
      },
    });
  }
}

const gauges: [string, string, (state: PoolState) => number][] = [
  ['ballast_postgres_pool_max_connections', 'The most that the pool opens.', (state) => state.max],
  [
    'ballast_postgres_pool_waiting',
    'Statements and transactions that found no free connection.',
    (state) => state.waiting,
  ],
];

/** Whether this process's link to each Redis stands; null where that store is no Redis. */
export type RedisLinks = Readonly<Record<'cache' | 'queue', () => boolean | null>>;

/** Adds `ballast_redis_connected`, without a value for what does not run on Redis. */
export function redisMetrics({ registry }: Metrics, links: RedisLinks): void {
  new Gauge({
    name: 'ballast_redis_connected',
    help: "1 while this process's connection to that Redis stands.",
    labelNames: ['store'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [store, connected] of Object.entries(links)) {
        const now = connected();
        if (now !== null) this.set({ store }, Number(now));
      }
    },
  });
}
