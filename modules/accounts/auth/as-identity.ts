import { sqlOf, type Tx } from '@ballast/db';

/**
 * Does `work` as `ballast_auth`, in a transaction of the app's: what a job changes of
 * identity is committed with the job's completion, or not at all. When `work` fails the
 * role ends with the transaction, which can only be rolled back.
 */
export async function asIdentity<Result>(
  tx: Tx,
  work: (sql: ReturnType<typeof sqlOf>) => PromiseLike<Result>,
): Promise<Result> {
  const sql = sqlOf(tx);
  await sql`set local role ballast_auth`;
  const result = await work(sql);
  await sql`reset role`;
  return result;
}
