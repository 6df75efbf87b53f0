/** Something a person can put right: one sentence says what is wrong and what to do. Shown without a stack. */
export class StartProblem extends Error {
  override name = 'StartProblem';
}

/** A step that was cut short because everything stops: nothing to report. */
export class Stopped extends Error {
  override name = 'Stopped';
}

/** The same for the system's own refusals; anything else is a defect and keeps its stack. */
export function asProblem(error: unknown, dataDirectory: string): unknown {
  if (error instanceof StartProblem) return error;
  const { code, path } = (error ?? {}) as NodeJS.ErrnoException;
  if (code === 'ENOSPC') return new StartProblem(diskFull(path ?? dataDirectory));
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new StartProblem(
      `${path ?? dataDirectory} may not be read or written by this user (${code}). ` +
        'Give the folder back (sudo chown -R "$(id -u)" .ballast), or set BALLAST_DATA to another one.',
    );
  }
  return error;
}

export function diskFull(path: string): string {
  return `The disk that holds ${path} is full. Free some space (Ballast needs about 1 GB) and start again; nothing was lost.`;
}
