import { sqlOf, type Tx } from '@ballast/db';
import postgres from 'postgres';
import type { Place } from '../system.ts';

/** The row that a producer writes beside a job, and a handler in its transaction. */
export async function createEffectTable(place: Place): Promise<void> {
  const owner = postgres(place.ownerUrl, { max: 1 });
  await owner.unsafe('create table effect (n integer not null)');
  await owner.unsafe('grant all on effect to ballast_app, ballast_dispatcher');
  await owner.end();
}

/** The tenant of all jobs: policies apply as they do in an application. */
export const tenant = '018f0000-0000-7000-8000-000000000001';

export async function writeEffect(tx: Tx, number: number): Promise<void> {
  await sqlOf(tx)`insert into effect (n) values (${number})`;
}
