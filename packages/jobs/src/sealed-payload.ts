import { AppError, type JobDefinition, secretShown } from '@ballast/kernel';
import type { KeyRing } from '@ballast/kernel/key-ring';
import type { z } from 'zod';

/** A payload, by the names of its fields. */
type Fields = Record<string, unknown>;

/** Where a value may be opened: in this field of this job. A row that is copied over another's does not open. */
const place = (jobId: string, field: string) => `job/${jobId}/${field}`;

/** The body of a job as Postgres keeps it: JSON, with secret fields sealed. */
export function sealPayload(
  keys: KeyRing | null,
  job: Pick<JobDefinition, 'name' | 'secrets'>,
  jobId: string,
  payload: unknown,
): string {
  const present = job.secrets.filter((field) => (payload as Fields)[field] !== undefined);
  if (present.length === 0) return JSON.stringify(payload);
  const ring = keys ?? withoutKeys(job.name);
  const sealed = present.map((field) => [
    field,
    ring.seal(JSON.stringify((payload as Fields)[field]), place(jobId, field)),
  ]);
  return JSON.stringify({ ...(payload as Fields), ...Object.fromEntries(sealed) });
}

/** The payload as the handler gets it, and the values that were secret. */
export function openPayload(
  keys: KeyRing | null,
  row: { id: string; name: string; body: unknown; secrets: readonly string[] | null },
): { payload: unknown; secrets: unknown[] } {
  if (row.secrets === null) return { payload: row.body, secrets: [] };
  const body = row.body as Fields;
  const present = row.secrets.filter((field) => body[field] !== undefined);
  if (present.length === 0) return { payload: body, secrets: [] };
  const ring = keys ?? withoutKeys(row.name);
  const opened = present.map((field) => [field, JSON.parse(ring.open(String(body[field]), place(row.id, field)))]);
  return { payload: { ...body, ...Object.fromEntries(opened) }, secrets: opened.map(([, value]) => value) };
}

/** For people: a secret field is shown as such, sealed or not. */
export function shownPayload(body: unknown, secrets: readonly string[] | null): unknown {
  if (secrets === null) return body;
  const present = secrets.filter((field) => (body as Fields)[field] !== undefined);
  return { ...(body as Fields), ...Object.fromEntries(present.map((field) => [field, secretShown])) };
}

/** What is wrong with a payload. A secret field is only named: a rule's own words may repeat what they refuse. */
export function problemsOf(job: Pick<JobDefinition, 'secrets'>, issues: readonly z.core.$ZodIssue[]): string {
  const known = new Set(['invalid_type', 'unrecognized_keys']);
  return issues
    .map((issue) => {
      const tells = issue.path.length > 0 ? !job.secrets.includes(String(issue.path[0])) : known.has(issue.code);
      const words = job.secrets.length === 0 || tells ? issue.message : 'is not valid';
      return `${issue.path.join('.') || 'payload'}: ${words}`;
    })
    .join('; ');
}

/** Another process may have them, so a repeat can help. */
function withoutKeys(job: string): never {
  throw new AppError('secrets.no_keys', {
    public: 'Something went wrong on our side.',
    internal: `${job} has secret fields, and ENCRYPTION_KEYS is not set for this process.`,
    retryable: true,
  });
}
