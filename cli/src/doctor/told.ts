import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What `npm start` left for other terminals while it runs (scripts/start/run-record.ts). */
export interface Told {
  settings: Record<string, string>;
  given: string[];
}

/** Null when nothing runs on this folder. */
export function readTold(data: string): Told | null {
  try {
    const { told } = JSON.parse(readFileSync(join(data, 'run.json'), 'utf8')) as { told?: Told };
    return told ?? null;
  } catch {
    return null;
  }
}
