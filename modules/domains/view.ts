import { z } from 'zod';
import { proofNameOf, proofValueOf } from './domain-name.ts';
import type { domain } from './schema.ts';

/** A domain as callers see it. */
export const DomainView = z
  .object({
    id: z.uuid(),
    name: z.string(),
    status: z
      .enum(['pending', 'proved', 'missing', 'lapsed'])
      .describe(
        '`pending`: not proved yet. `missing`: served, but its TXT record was not found lately. `lapsed`: it was gone for too long.',
      ),
    records: z
      .array(z.object({ type: z.enum(['TXT', 'CNAME']), name: z.string(), value: z.string() }))
      .describe('What to set at the name servers of the domain: the proof, and the way to the site.'),
    createdAt: z.iso.datetime(),
    provedAt: z.iso.datetime().nullable(),
    lapsesAt: z.iso.datetime().nullable().describe('When a `missing` domain loses its proof.'),
  })
  .meta({ id: 'Domain' });

export type DomainView = z.output<typeof DomainView>;

const dayMs = 86_400_000;

export function viewOf(
  row: typeof domain.$inferSelect,
  { publicUrl, graceDays }: { publicUrl: string; graceDays: number },
): DomainView {
  const missing = row.provedAt && row.missingSince;
  return {
    id: row.id,
    name: row.name,
    status: statusOf(row),
    records: [
      { type: 'TXT', name: proofNameOf(row.name), value: proofValueOf(row.token) },
      { type: 'CNAME', name: row.name, value: new URL(publicUrl).hostname },
    ],
    createdAt: row.createdAt.toISOString(),
    provedAt: row.provedAt?.toISOString() ?? null,
    lapsesAt: missing ? new Date(missing.getTime() + graceDays * dayMs).toISOString() : null,
  };
}

function statusOf({ provedAt, missingSince }: typeof domain.$inferSelect): DomainView['status'] {
  if (provedAt) return missingSince ? 'missing' : 'proved';
  return missingSince ? 'lapsed' : 'pending';
}
