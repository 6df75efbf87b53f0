import type { Surroundings } from './database/dispatcher-url.ts';

/** Where a command runs, and where what it says goes. */
export interface Terminal extends Surroundings {
  out(text: string): void;
  err(text: string): void;
}

/** Done; nothing found or changed; not understood; the database could not be asked; nobody foresaw it. */
export const codes = { done: 0, nothing: 1, usage: 2, unreachable: 3, unforeseen: 4 } as const;
