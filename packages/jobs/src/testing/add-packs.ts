import { vi } from 'vitest';
import type { Transport } from '../transport.ts';

/**
 * Gives packs to the queue `default`. A busy store may answer later than a dispatcher waits for, which then takes its jobs
 * back; here they are given once more, and the queue knows them by their ids.
 */
export async function addPacks(transport: Transport, packIds: readonly string[], queue = 'default'): Promise<void> {
  await vi.waitFor(() => transport.add(queue, packIds), { timeout: 60_000, interval: 100 });
}
