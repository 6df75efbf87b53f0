import { AppError } from '@ballast/kernel';
import type { Logger } from '@ballast/observability/logger';
import type { Release } from './context.ts';

export interface RunningProcess {
  log: Logger;
  graceMs: number;
  release: Release;
  /** Ends the process when it rejects: something that it cannot live without turned out to be wrong. */
  vital?: Promise<unknown>;
}

/** Beyond the grace, for handing jobs back and closing pools. After it the process ends whatever still hangs. */
const lastResortMs = 10_000;

/**
 * The life of a process: open, run until a signal, release. A second signal ends it
 * at once. What cannot start says why in sentences and exits with 1.
 */
export async function runProcess(open: () => Promise<RunningProcess>): Promise<void> {
  const running = await open().catch((error: unknown) => {
    console.error(error instanceof AppError ? error.public : error);
    process.exit(1);
  });
  const { log, graceMs } = running;
  let ending = false;

  function end(code: number, why: Record<string, unknown>): void {
    if (ending) process.exit(code === 0 ? 130 : code);
    ending = true;
    log.info(why, 'draining');
    setTimeout(() => {
      log.error({ graceMs }, 'did not end in time; leaving');
      process.exit(1);
    }, graceMs + lastResortMs).unref();
    running.release().then(
      () => {
        log.info({}, 'released');
        process.exit(code);
      },
      (error: unknown) => {
        log.error({ error }, 'release failed');
        process.exit(1);
      },
    );
  }

  process.on('SIGTERM', () => end(0, { signal: 'SIGTERM' }));
  process.on('SIGINT', () => end(0, { signal: 'SIGINT' }));
  for (const event of ['uncaughtException', 'unhandledRejection']) {
    process.on(event, (error: unknown) => {
      // Nobody knows what state is left: finish what runs and begin anew.
      log.error({ error, event }, 'unexpected failure');
      end(1, { event });
    });
  }
  running.vital?.catch((error: unknown) => {
    console.error(error instanceof AppError ? error.public : error);
    end(1, { error });
  });
}
