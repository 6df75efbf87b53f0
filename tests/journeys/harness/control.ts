import { inject } from 'vitest';
import type { commands } from './control-server.ts';

/** Tells the process that runs the system to hurt it, or to make it whole. */
export async function control(command: keyof typeof commands): Promise<unknown> {
  const response = await fetch(`${inject('controlUrl')}/${command}`, { method: 'POST' });
  if (!response.ok) throw new Error(`${command}: ${await response.text()}`);
  return await response.json();
}
