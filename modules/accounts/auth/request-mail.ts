import { sqlOf, type Tx } from '@ballast/db';
import { type EnqueueOptions, enqueue } from '@ballast/jobs/enqueue';
import type { JobDefinition } from '@ballast/kernel';

/**
 * Enqueues a mail to a person in the caller's transaction, unless one of this kind
 * was asked for less than `everySeconds` ago, or waits already. What a stranger can
 * trigger goes through here: the limit is the account's, wherever the asking comes from.
 */
export async function requestMail<Payload extends { userId: string }>(
  tx: Tx,
  job: JobDefinition<Payload>,
  payload: Payload,
  options: { everySeconds: number } & Pick<EnqueueOptions, 'discardAfter'>,
): Promise<void> {
  const { everySeconds, ...rest } = options;
  const [due] = await sqlOf(tx)`
    insert into accounts.mail_request as known (user_id, kind) values (${payload.userId}, ${job.name})
    on conflict (user_id, kind) do update set asked_at = now()
      where known.asked_at <= now() - make_interval(secs => ${everySeconds})
    returning 1`;
  if (!due) return;
  await enqueue(tx, job, payload, { ...rest, key: payload.userId });
}
