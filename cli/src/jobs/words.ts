import type { Database } from '@ballast/db';
import { knownJobs, readBacklog } from '@ballast/jobs/backlog';
import type { JobState } from '@ballast/jobs/control';
import { closestName } from '@ballast/kernel';
import { type Given, UsageError } from '../command.ts';

export const states = [
  'pending',
  'dispatched',
  'done',
  'dead',
  'cancelled',
  'parked',
  'held',
] as const satisfies JobState[];

export const idArgument = { name: 'ID', description: "the job's id, as `list` shows it" };
export const queueArgument = { name: 'QUEUE', description: "the queue's name, such as default" };

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The id that `parse` has made sure of. */
export function idOf({ argument = '' }: Pick<Given, 'argument'>): string {
  if (uuid.test(argument)) return argument.toLowerCase();
  throw new UsageError(`"${argument}" is no job's id: ids look like 01975f6e-7a2b-7c3d-8e4f-5a6b7c8d9e0f.`);
}

export function tenantOf(text: string): string {
  if (uuid.test(text)) return text.toLowerCase();
  throw new UsageError(`--tenant takes an organisation's id, and "${text}" is none.`);
}

export function stateOf(text: string): JobState {
  const state = states.find((known) => known === text);
  if (state) return state;
  const near = closestName(text, states);
  throw new UsageError(`unknown state "${text}"${near ? `, did you mean ${near}?` : `; known: ${states.join(', ')}.`}`);
}

export function limitOf(text: string): number {
  const limit = Number(text);
  if (/^\d+$/.test(text) && limit >= 1 && limit <= 1_000) return limit;
  throw new UsageError(`--limit takes a number from 1 to 1000, and "${text}" is none.`);
}

/** Refuses a queue that nobody has heard of and that is one slip away from one that somebody has. */
export async function refuseMistypedQueue(db: Database, queue: string): Promise<void> {
  const known = (await readBacklog(db)).map((entry) => entry.queue);
  refuseMistyped('queue', queue, known);
}

/** The same for a job's name. */
export async function refuseMistypedName(db: Database, name: string): Promise<void> {
  refuseMistyped('job', name, await knownJobs(db));
}

function refuseMistyped(kind: string, typed: string, known: readonly string[]): void {
  if (known.includes(typed)) return;
  const near = closestName(typed, known);
  if (near) throw new UsageError(`unknown ${kind} "${typed}", did you mean ${near}?`);
}
