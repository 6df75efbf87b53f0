/** What a pool does with its connections at this moment. */
export interface PoolState {
  /** The most that it opens. */
  max: number;
  /** They run a statement, or belong to a transaction. */
  used: number;
  idle: number;
  connecting: number;
  /** Statements and transactions for which no connection is free. */
  waiting: number;
}

const open = new Set<{ name: string; state(): PoolState }>();

/** Makes a pool known to whoever measures this process. Returns what takes it off the list. */
export function listPool(name: string, state: () => PoolState): () => void {
  const entry = { name, state };
  open.add(entry);
  return () => void open.delete(entry);
}

/** The pools that this process has open, by the name that Postgres shows of them; those of one name together. */
export function openPools(): Map<string, PoolState> {
  const pools = new Map<string, PoolState>();
  for (const { name, state } of open) {
    const one = state();
    const sum = pools.get(name);
    pools.set(name, {
      max: one.max + (sum?.max ?? 0),
      used: one.used + (sum?.used ?? 0),
      idle: one.idle + (sum?.idle ?? 0),
      connecting: one.connecting + (sum?.connecting ?? 0),
      waiting: one.waiting + (sum?.waiting ?? 0),
    });
  }
  return pools;
}
