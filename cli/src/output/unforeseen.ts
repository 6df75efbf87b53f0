/** What no command had a sentence for, with what whoever mends it has to know. */
export function tellUnforeseen(error: unknown): string {
  const { message, stack, syscall } = error as { message?: string; stack?: string; syscall?: string };
  // A file that may not be written, a program that is not there: the system's answer, and nobody's bug.
  if (syscall) return `The system refused: ${message}.`;
  return `This is a bug in Ballast. Please report it, with these lines:\n${stack ?? String(error)}`;
}
