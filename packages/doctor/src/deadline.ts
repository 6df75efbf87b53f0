/** Nobody answered in time: of a store, of a name, of a server. */
export class Late extends Error {
  readonly code = 'LATE';
}

/** Rejects with `Late` when `work` takes longer. It is not stopped: whoever started it lets go of it. */
export async function within<Result>(timeoutMs: number, work: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Late(`no answer within ${timeoutMs / 1_000} s`)), timeoutMs);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
