'use client';
import { call, type Problem } from '@ballast/ui/api/problem';
import { Badge } from '@ballast/ui/badge';
import { Button } from '@ballast/ui/button';
import { ProblemStatus } from '@ballast/ui/form/submit';
import { Status, StatusRegion } from '@ballast/ui/status';
import { useRouter } from 'next/navigation';
import { useFormatter, useTranslations } from 'next-intl';
import { useState, useTransition } from 'react';
import { type Domain, domains } from '../api.ts';
import { DomainRecords } from './domain-records.tsx';
import { RemoveDomain } from './remove-domain.tsx';

const tones = { pending: 'primary', proved: 'success', missing: 'warning', lapsed: 'danger' } as const;

/** One domain: how it stands, what to set for it, and what can be done. */
export function DomainItem({ domain, onRemoved }: { domain: Domain; onRemoved: () => void }) {
  const t = useTranslations('domains.list');
  const format = useFormatter();
  const router = useRouter();
  const [proving, setProving] = useState(false);
  const [outcome, setOutcome] = useState<'proved' | Problem | null>(null);
  const [, startTransition] = useTransition();

  async function prove() {
    if (proving) return;
    setProving(true);
    setOutcome(null);
    const result = await call(() => domains[':id'].proof.$post({ param: { id: domain.id } }));
    setProving(false);
    setOutcome(result.ok ? 'proved' : result.problem);
    if (result.ok) startTransition(() => router.refresh());
  }

  const lapses = domain.lapsesAt && format.dateTime(new Date(domain.lapsesAt), { dateStyle: 'long' });
  return (
    <li className="grid gap-3 px-5 py-4">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <h3 className="min-w-0 break-all font-medium">{domain.name}</h3>
        <Badge tone={tones[domain.status]}>{t(`status.${domain.status}`)}</Badge>
      </div>
      <p className="text-muted text-sm">{t(`meaning.${domain.status}`, { date: lapses ?? '' })}</p>
      <DomainRecords domain={domain} open={domain.status !== 'proved'} />
      {outcome && outcome !== 'proved' ? <ProblemStatus problem={outcome} /> : null}
      <StatusRegion>
        {outcome === 'proved' ? <Status tone="success" message={t('proved', { name: domain.name })} /> : null}
      </StatusRegion>
      <div className="flex flex-wrap gap-2">
        <Button
          variant="secondary"
          size="sm"
          pending={proving}
          aria-label={t('proveLabel', { name: domain.name })}
          onClick={prove}
        >
          {t('prove')}
        </Button>
        <RemoveDomain
          domain={domain}
          onRemoved={() => {
            onRemoved();
            startTransition(() => router.refresh());
          }}
        />
      </div>
    </li>
  );
}
