/** The end of a run's time, by its timeout or by the end of the process. */
export interface Deadline {
  /** Made when somebody asks for it: most handlers do not, and a signal costs more than a short run. */
  readonly signal: AbortSignal;
  /** Settles as `work` does, or rejects a second after the deadline when `work` ignores it. */
  guard<Result>(work: Promise<Result>): Promise<Result>;
  close(): void;
}

/** How long a handler that was told to end may take to end. */
const graceMs = 1_000;

/** Opens the clock of one run. */
export function openDeadline(timeoutMs: number, shutdown: AbortSignal): Deadline {
  const listeners = new Set<(reason: Error) => void>();
  let ended: Error | null = null;
  let controller: AbortController | null = null;

  const end = (reason: Error) => {
    if (ended) return;
    ended = reason;
    controller?.abort(reason);
    for (const listener of listeners) listener(reason);
  };
  const timer = setTimeout(() => end(new Error(`The run took longer than ${timeoutMs} ms.`)), timeoutMs);
  const onShutdown = () => end(shutdown.reason as Error);
  if (shutdown.aborted) onShutdown();
  else shutdown.addEventListener('abort', onShutdown);

  return {
    get signal() {
      controller ??= new AbortController();
      if (ended && !controller.signal.aborted) controller.abort(ended);
      return controller.signal;
    },
    guard<Result>(work: Promise<Result>) {
      return new Promise<Result>((resolve, reject) => {
        const late = (reason: Error) => setTimeout(() => reject(reason), graceMs).unref();
        if (ended) late(ended);
        else listeners.add(late);
        work.then(resolve, reject);
      });
    },
    close() {
      clearTimeout(timer);
      listeners.clear();
      shutdown.removeEventListener('abort', onShutdown);
    },
  };
}
