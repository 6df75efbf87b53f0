import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { Reached } from './production.ts';
import { eventually } from './stack.ts';
import { visit } from './visit.ts';

export interface RequestedJobs {
  /** Adds so many jobs a second until it is stopped; tells how many it were. */
  feed(perSecond: number): { added(): number; stop(): Promise<number> };
  /** Waits until all jobs are done, and finds one mail and one effect of each. */
  allOnce(): Promise<void>;
}

/**
 * Jobs with an effect in the database and one outside it: each mails a request for help and marks it delivered.
 * The first goes through the front door; the others are its copies, since a person may only ask so often.
 */
export async function openJobs(production: Reached, cookie: string): Promise<RequestedJobs> {
  const { site, mails, query } = production;
  const body = JSON.stringify({ subject: 'The first', body: 'through the front door' });
  const asked = await visit(site, '/api/support/requests', { method: 'POST', headers: { cookie }, body });
  expect(asked.status, asked.body).toBe(201);
  const [first = ''] = await query(`select id from jobs.job where name = 'support.send-request'`);

  const add = (count: number) =>
    query(
      `begin;
       create temporary table made on commit drop as select uuidv7() as id, uuidv7() as job from generate_series(1, ${count});
       insert into support.request (id, organization_id, user_id, author_name, author_email, subject, body)
         select made.id, organization_id, user_id, author_name, author_email, 'Copy ' || made.id, '${randomUUID()}'
         from made, support.request where subject = 'The first';
       grant select on made to ballast_dispatcher;
       create temporary table kind on commit drop as select * from jobs.job where id = '${first}';
       grant select on kind to ballast_dispatcher;
       set local role ballast_dispatcher;
       select count(*) from (
         select jobs.add(kind.name, kind.version, kind.queue, kind.attempts, kind.batch, kind.concurrency, kind.secrets, null,
           array_agg(made.job), array_agg(jsonb_build_object('requestId', made.id)::text), null, null, null,
           array_agg(kind.tenant_id), null)
         from made, kind group by kind.name, kind.version, kind.queue, kind.attempts, kind.batch, kind.concurrency, kind.secrets
       ) as added;
       commit;`,
    );

  return {
    feed(perSecond) {
      let running = true;
      let count = 0;
      const ended = (async () => {
        while (running) {
          const began = performance.now();
          await add(perSecond);
          count += perSecond;
          await new Promise((resolve) => setTimeout(resolve, Math.max(0, 1000 - (performance.now() - began))));
        }
      })();
      // Said by stop(), which may come much later.
      ended.catch(() => {});
      return {
        added: () => count,
        async stop() {
          running = false;
          await ended;
          return count;
        },
      };
    },
    async allOnce() {
      const states = () => query('select state, count(*) from jobs.status group by state order by state');
      await eventually('all jobs done', async () => (await states()).every((line) => line.startsWith('done')));
      const [counts] = await query(
        `select count(*) || ' ' || count(*) filter (where state = 'delivered') from support.request`,
      );
      const [requests = '', delivered] = (counts ?? '').split(' ');
      expect(delivered).toBe(requests);
      const sent = (await mails()).filter(({ subject }) => subject.startsWith('Support: '));
      expect(new Set(sent.map(({ subject }) => subject)).size).toBe(Number(requests));
      expect(sent.length).toBe(Number(requests));
    },
  };
}
