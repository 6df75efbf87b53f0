import type { Database } from '@ballast/db';
import type { Surroundings } from './database/dispatcher-url.ts';

/** One verb of a group, such as `list` of `jobs`. */
export type Command = DatabaseCommand | LocalCommand;

interface Verb {
  /** Empty for what the group itself does: `backup`. */
  name: string;
  /** One sentence for the list of commands. */
  summary: string;
  /** What else there is to know, for its own help. */
  details?: string;
  argument?: Argument;
  options?: Readonly<Record<string, Option>>;
}

export interface DatabaseCommand extends Verb {
  /** Reads what was typed, or throws a `UsageError`; only what it returns touches the database. */
  prepare(given: Given): (db: Database) => Promise<Answer>;
}

/** Works without the database, which need not be there. */
export interface LocalCommand extends Verb {
  act(given: Given, surroundings: Surroundings): Promise<Answer>;
}

export interface Argument {
  /** As help shows it: `ID`. */
  name: string;
  description: string;
  /** True when an option can stand in for it. */
  optional?: boolean;
}

export interface Option {
  /** As help shows it: `STATE`. Without one the option stands alone. */
  value?: string;
  description: string;
}

export interface Given {
  argument: string | undefined;
  options: Readonly<Record<string, string | undefined>>;
}

export interface Answer {
  /** For people. */
  text: string;
  /** For `--json`. */
  data: unknown;
  /** Said beside the answer: why nothing changed, what else to know. */
  note?: string;
  /** False when nothing was found or changed. */
  ok: boolean;
}

/** What was typed cannot be understood. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
