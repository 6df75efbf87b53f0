/** Holds what a run has left against the model. */
import type { Database } from '@ballast/db';
import { misplacedJobs } from '@ballast/jobs/testing';
import type { Diary } from './diary.ts';
import { type Expectation, expectations, type Label } from './expectations.ts';
import type { Sinks } from './sinks.ts';

export interface Violation {
  what: string;
  jobId: string | null;
  detail: string;
}

export interface Verdict {
  jobs: number;
  ended: Record<string, number>;
  lost: number;
  doubled: number;
  /** External effects, and how many of them repeat an earlier one under its key. */
  sent: number;
  repeats: number;
  violations: Violation[];
}

/** A job as the database and the diary know it. */
interface Found {
  /** Of what was asked; null when nobody asked for the job. */
  label: Label | null;
  ns: string[] | null;
  notBefore: Date | null;
  askedId: string | null;
  id: string | null;
  state: string | null;
  parts: string[] | null;
  firstAt: Date | null;
  /** How many of those who asked for it were visible when it completed. */
  seen: number | null;
  failures: string[] | null;
}

export async function verify(admin: Database, sinks: Sinks, diary: Diary): Promise<Verdict> {
  const found = await readAll(admin);
  const violations: Violation[] = [];
  const verdict: Verdict = { jobs: found.length, ended: {}, lost: 0, doubled: 0, sent: 0, repeats: 0, violations };
  const idOf = new Map<number, string>();
  for (const job of found) {
    for (const n of job.ns ?? []) idOf.set(Number(n), job.askedId as string);
    const state = job.state ?? 'nowhere';
    verdict.ended[state] = (verdict.ended[state] ?? 0) + 1;
    for (const [what, detail] of problemsOf(job, sinks, diary)) {
      if (what === 'lost') verdict.lost += 1;
      if (what === 'doubled') verdict.doubled += 1;
      violations.push({ what, jobId: job.id ?? job.askedId, detail: `${job.label ?? 'not asked for'}: ${detail}` });
    }
  }
  for (const [n, keys] of sinks.received) {
    for (const [key, times] of keys) {
      verdict.sent += times;
      verdict.repeats += times - 1;
      if (idOf.get(n) === key) continue;
      violations.push({ what: 'another key', jobId: idOf.get(n) ?? null, detail: `number ${n} was sent under ${key}` });
    }
  }
  violations.push(...(await leftovers(admin)));
  return verdict;
}

function* problemsOf(job: Found, sinks: Sinks, diary: Diary): Generator<[string, string]> {
  if (job.label === null) return yield ['invented', `the job is ${job.state}, and no commit added it`];
  const expected: Expectation = expectations[job.label];
  const parts = Map.groupBy(job.parts ?? [], (part) => part);
  for (const [part, times] of parts) {
    if (times.length > 1) yield ['doubled', `its effect '${part}' is there ${times.length} times`];
  }
  if (job.id === null) return yield ['lost', 'its commit stands, and the job is not there'];
  if (job.state === 'open') return yield ['lost', 'it never ended'];
  const left = expected.ends[job.state as 'done' | 'dead' | 'cancelled'];
  if (!left)
    return yield [job.state === 'done' ? 'wrong end' : 'lost', `it is ${job.state}: ${job.failures?.join('; ')}`];
  for (const part of left.exactly) {
    if (!parts.has(part)) yield ['lost', `it is ${job.state}, and its effect '${part}' is not there`];
  }
  for (const part of parts.keys()) {
    if (![...left.exactly, ...(left.perhaps ?? [])].includes(part))
      yield ['not rolled back', `it is ${job.state}, and its effect '${part}' is there`];
  }
  if (job.state === 'done' && expected.outside && !sinks.received.has(Number(job.ns?.[0])))
    yield ['lost', 'it is done, and nothing arrived outside'];
  if (job.notBefore && job.firstAt && job.firstAt < job.notBefore && job.ns?.length === 1)
    yield ['early', `due at ${job.notBefore.toISOString()}, and run at ${job.firstAt.toISOString()}`];
  if (job.seen !== null && job.seen !== job.ns?.length)
    yield ['ran before a commit', `it joined ${job.ns?.length} commits, and saw ${job.seen} of them`];
  const starts = Math.max(diary.timesStarted(job.id), sentTimes(job, sinks));
  if (expected.once && starts > 1) yield ['started twice', `it has one attempt, and was started ${starts} times`];
}

const sentTimes = (job: Found, sinks: Sinks) =>
  [...(sinks.received.get(Number(job.ns?.[0]))?.values() ?? [])].reduce((sum, times) => sum + times, 0);

function readAll(admin: Database): Promise<Found[]> {
  return admin.sql<Found[]>`
    with wanted as (
      select job_id, min(label) as label, array_agg(n::text) as ns, min(not_before) as not_before from asked group by job_id
    ), left_behind as (
      select job_id, array_agg(part) as parts, min(at) as first_at, max(seen) filter (where part = 'whole') as seen
      from effect group by job_id
    ), failed as (
      select job_id, array_agg(message order by created_at) as failures from jobs.failure group by job_id
    )
    select wanted.label, wanted.ns, wanted.not_before as "notBefore", wanted.job_id as "askedId",
           job.id, job.state, parts, first_at as "firstAt", seen, failures
    from jobs.job full join wanted on wanted.job_id = job.id
    left join left_behind on left_behind.job_id = coalesce(job.id, wanted.job_id)
    left join failed on failed.job_id = job.id`;
}

/** After the end every job is in no place, and nothing of it stands anywhere. */
async function leftovers(admin: Database): Promise<Violation[]> {
  const misplaced = await misplacedJobs(admin);
  const [left] = await admin.sql<Record<string, number>[]>`
    select (select count(*)::int from jobs.due) as due, (select count(*)::int from jobs.later) as later,
           (select count(*)::int from jobs.aside) as aside, (select count(*)::int from jobs.pack) as pack,
           (select count(*)::int from jobs.key) as key,
           (select count(*)::int from effect where job_id not in (select id from jobs.job)) as "effects without a job"`;
  return [
    ...misplaced.map(({ id, places }) => ({ what: 'misplaced', jobId: id, detail: `it is in ${places} places` })),
    ...Object.entries(left ?? {})
      .filter(([, rows]) => rows > 0)
      .map(([table, rows]) => ({ what: 'left over', jobId: null, detail: `${rows} rows: ${table}` })),
  ];
}

/** All that is known of a job. */
export async function historyOf(admin: Database, diary: Diary, jobId: string): Promise<string[]> {
  const rows = await admin.sql<{ line: string }[]>`
    select 'job ' || to_jsonb(job)::text as line from jobs.job where id = ${jobId}
    union all select 'asked ' || to_jsonb(asked)::text from asked where job_id = ${jobId}
    union all select 'effect ' || to_jsonb(effect)::text from effect where job_id = ${jobId}
    union all select 'failure ' || to_jsonb(failure)::text from jobs.failure where job_id = ${jobId}
    union all select 'step ' || to_jsonb(step)::text from jobs.step where job_id = ${jobId}
    union all select 'due ' || to_jsonb(due)::text from jobs.due where job_id = ${jobId}
    union all select 'later ' || to_jsonb(later)::text from jobs.later where job_id = ${jobId}
    union all select 'aside ' || to_jsonb(aside)::text from jobs.aside where job_id = ${jobId}
    union all select 'pack ' || to_jsonb(pack)::text from jobs.pack where ${jobId}::uuid = any(job_ids)`;
  return [...rows.map((row) => row.line), ...diary.startsOf(jobId)];
}
