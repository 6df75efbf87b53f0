import { AppError, defineJob, snooze } from '@ballast/kernel';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { endingOf, outcomeOfError } from './outcome.ts';

const job = defineJob({ name: 'suite.job', payload: z.unknown(), attempts: 3, backoff: { firstMs: 100, maxMs: 100 } });

describe('the edge of a job', () => {
  it('repeats an unknown error until the attempts are used up', () => {
    const outcome = outcomeOfError(new Error('lost'));
    expect(endingOf(outcome, job, 2)).toMatchObject({ state: 'pending', uncharge: false, failure: 'lost' });
    expect(endingOf(outcome, job, 3)).toMatchObject({ state: 'dead', failure: 'lost' });
  });

  it('waits as long as the other side asked for', () => {
    const busy = new AppError('mail.deferred', { status: 503, public: 'Later.', retryAfterSeconds: 7 });
    expect(endingOf(outcomeOfError(busy), job, 1)).toMatchObject({ state: 'pending', afterMs: 7_000 });
  });

  it('buries at once what a repeat cannot mend', () => {
    const refused = new AppError('mail.refused', { status: 422, public: 'No.', internal: '550 no such user' });
    expect(endingOf(outcomeOfError(refused), job, 1)).toMatchObject({
      state: 'dead',
      failure: 'mail.refused: 550 no such user',
    });
  });

  it('keeps no parameter of a failed statement', () => {
    const failed = new Error('Failed query: insert into x values ($1)\nparams: hunter2', {
      cause: new Error('duplicate'),
    });
    expect(endingOf(outcomeOfError(failed), job, 1).failure).toBe(
      'Failed query: insert into x values ($1) (duplicate)',
    );
  });

  it.each([
    ['was begun and may start once', true, 1, 'dead'],
    ['was not begun', false, 1, 'pending'],
    ['may start again', true, 2, 'pending'],
  ] as const)(
    'gives back, in its place and uncharged, what the end of a process cut off, or buries it: it %s',
    (...how) => {
      const [, begun, attempts, state] = how;
      const ending = endingOf({ outcome: 'cut off', begun, by: new Error('going') }, { ...job, attempts }, 1);
      expect(ending).toMatchObject({ state, afterMs: null, uncharge: state === 'pending' });
      if (state === 'dead') expect(ending.failure).toMatch(/^The end of its process cut it off\..* \(going\)$/);
    },
  );

  it('starts a job again that asks for it, however often it may', () => {
    expect(endingOf(snooze(5), { ...job, attempts: 1 }, 1)).toMatchObject({
      state: 'pending',
      afterMs: 5,
      uncharge: true,
    });
  });

  it('takes whatever was thrown', () => {
    expect(endingOf(outcomeOfError('text'), job, 1).failure).toBe('text');
  });
});
