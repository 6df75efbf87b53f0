import { AppError, defineJob } from '@ballast/kernel';
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

  it('takes whatever was thrown', () => {
    expect(endingOf(outcomeOfError('text'), job, 1).failure).toBe('text');
  });
});
