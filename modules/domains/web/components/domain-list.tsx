'use client';
import type { Result } from '@ballast/ui/api/problem';
import { Card } from '@ballast/ui/card';
import { EmptyState } from '@ballast/ui/empty-state';
import { ProblemStatus } from '@ballast/ui/form/submit';
import { Status, StatusRegion } from '@ballast/ui/status';
import { Globe } from 'lucide-react';
import { useTranslations } from 'next-intl';
import { useRef, useState } from 'react';
import type { DomainList as Listed } from '../api.ts';
import { DomainItem } from './domain-item.tsx';

/** The organisation's domains by name; there are few, so that they come with the document. */
export function DomainList({ list }: { list: Result<Listed> }) {
  const t = useTranslations('domains.list');
  const heading = useRef<HTMLHeadingElement>(null);
  const [removed, setRemoved] = useState<string | null>(null);
  return (
    <section aria-labelledby="domains">
      <Card>
        <h2 id="domains" ref={heading} tabIndex={-1} className="border-b px-5 py-3.5 font-semibold">
          {t('title')}
        </h2>
        <StatusRegion>
          {removed ? <Status tone="success" message={t('removed', { name: removed })} className="m-4" /> : null}
        </StatusRegion>
        {list.ok ? (
          <ul className="divide-y">
            {list.data.items.map((domain) => (
              <DomainItem
                key={domain.id}
                domain={domain}
                onRemoved={() => {
                  setRemoved(domain.name);
                  // The button that had the focus is gone.
                  heading.current?.focus();
                }}
              />
            ))}
          </ul>
        ) : (
          <div className="p-4">
            <ProblemStatus problem={list.problem} />
          </div>
        )}
        {list.ok && list.data.items.length === 0 ? (
          <EmptyState level={3} icon={<Globe aria-hidden="true" />} title={t('empty')}>
            <p className="text-sm">{t('emptyText')}</p>
          </EmptyState>
        ) : null}
      </Card>
    </section>
  );
}
