import { describe, expect, it } from 'vitest';
import { openDeadline } from './deadline.ts';

const never = () => new Promise<never>(() => {});
const aborted = (signal: AbortSignal) =>
  new Promise<Error>((resolve) => signal.addEventListener('abort', () => resolve(signal.reason)));
const tenMinutesMs = 600_000;

describe('the signal of a run', () => {
  it('aborts at its timeout', async () => {
    const deadline = openDeadline(20, new AbortController().signal);
    expect(deadline.signal.aborted).toBe(false);
    expect((await aborted(deadline.signal)).message).toBe('The run took longer than 20 ms.');
    deadline.close();
  });

  it('aborts when the process must go', async () => {
    const shutdown = new AbortController();
    const deadline = openDeadline(tenMinutesMs, shutdown.signal);
    const { signal } = deadline;
    shutdown.abort(new Error('going'));
    expect([signal.aborted, signal.reason.message]).toEqual([true, 'going']);
    deadline.close();
  });

  it('is aborted from the first when the process is going, or when it is asked for too late', async () => {
    const going = openDeadline(tenMinutesMs, AbortSignal.abort(new Error('gone')));
    expect(going.signal.reason.message).toBe('gone');
    going.close();
    const late = openDeadline(1, new AbortController().signal);
    await expect.poll(() => late.signal.aborted).toBe(true);
    late.close();
  });

  it('stays as it was once the run has ended, and holds the process no longer', async () => {
    const shutdown = new AbortController();
    const deadline = openDeadline(20, shutdown.signal);
    const { signal } = deadline;
    deadline.close();
    shutdown.abort();
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(signal.aborted).toBe(false);
  });
});

describe('the guard of a run', () => {
  it('settles as the work does', async () => {
    const deadline = openDeadline(tenMinutesMs, new AbortController().signal);
    expect(await deadline.guard(Promise.resolve(1))).toBe(1);
    await expect(deadline.guard(Promise.reject(new Error('no')))).rejects.toThrow('no');
    deadline.close();
  });

  it.each(['timeout', 'end of the process', 'end before it began'] as const)(
    'gives up work that ignores its %s, a second later and not before',
    async (why) => {
      const shutdown = new AbortController();
      const abort = () => shutdown.abort(new Error('going'));
      if (why === 'end before it began') abort();
      const deadline = openDeadline(why === 'timeout' ? 20 : tenMinutesMs, shutdown.signal);
      const since = performance.now();
      const guarded = deadline.guard(never());
      if (why === 'end of the process') abort();
      await expect(guarded).rejects.toThrow(why === 'timeout' ? 'longer than 20 ms' : 'going');
      expect(performance.now() - since).toBeGreaterThan(990);
      deadline.close();
    },
  );
});
