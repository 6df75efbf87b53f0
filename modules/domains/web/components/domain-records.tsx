'use client';
import { useTranslations } from 'next-intl';
import type { Domain } from '../api.ts';

/** What to set at the domain's name servers. Out of the way once it is set. */
export function DomainRecords({ domain, open }: { domain: Domain; open: boolean }) {
  const t = useTranslations('domains.records');
  return (
    <details open={open} className="rounded-md border bg-deep px-4 py-3 text-sm">
      <summary className="cursor-pointer font-medium">{t('title', { name: domain.name })}</summary>
      <dl className="grid gap-3 pt-3">
        {domain.records.map(({ type, name, value }) => (
          <div key={type} className="grid gap-0.5">
            <dt className="text-muted">{t(`purpose.${type}`)}</dt>
            <dd className="grid gap-x-4 gap-y-0.5 font-mono text-xs sm:grid-cols-[4rem_1fr]">
              <span>{type}</span>
              <span className="grid min-w-0 gap-0.5">
                <span className="break-all">{name}</span>
                <span className="break-all">{value}</span>
              </span>
            </dd>
          </div>
        ))}
      </dl>
      <p className="pt-3 text-muted">{t('apex')}</p>
    </details>
  );
}
