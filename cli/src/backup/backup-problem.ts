import { AppError } from '@ballast/kernel';
import type { Answer } from '../command.ts';

/** Why a backup or a restore did not happen, as a sentence for whoever has to mend it. */
export class BackupProblem extends Error {
  override readonly name = 'BackupProblem';
}

/** The sentence of an error that has one. */
export function sentenceOf(error: unknown): string | null {
  if (error instanceof BackupProblem) return error.message;
  return error instanceof AppError ? (error.public ?? error.message) : null;
}

/** What a command answers: what it did, or why not. */
export async function answerOf(work: () => Promise<Answer>): Promise<Answer> {
  try {
    return await work();
  } catch (error) {
    const problem = sentenceOf(error);
    if (problem === null) throw error;
    return { text: '', data: { problem }, note: problem, ok: false };
  }
}
