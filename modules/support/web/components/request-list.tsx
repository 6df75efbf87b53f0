'use client';
import { call, type Problem, type Result } from '@ballast/ui/api/problem';
import { Badge } from '@ballast/ui/badge';
import { Button } from '@ballast/ui/button';
import { Card } from '@ballast/ui/card';
import { EmptyState } from '@ballast/ui/empty-state';
import { ProblemStatus } from '@ballast/ui/form/submit';
import { RelativeTime } from '@ballast/ui/relative-time';
import { Inbox } from 'lucide-react';
import { useTranslations } from 'next-intl';
import { useState } from 'react';
import { type RequestPage, type SupportRequest, support } from '../api.ts';

/** The organisation's requests, newest first; the first page comes with the document. */
export function RequestList({ first, now }: { first: Result<RequestPage>; now: number }) {
  const t = useTranslations('support.list');
  const [items, setItems] = useState<SupportRequest[]>(first.ok ? first.data.items : []);
  const [cursor, setCursor] = useState(first.ok ? first.data.nextCursor : null);
  const [problem, setProblem] = useState<Problem | null>(first.ok ? null : first.problem);
  const [pending, setPending] = useState(false);
  const [added, setAdded] = useState(0);

  async function more() {
    if (!cursor || pending) return;
    setPending(true);
    setProblem(null);
    const result = await call(() => support.requests.$get({ query: { cursor } }));
    setPending(false);
    if (!result.ok) return setProblem(result.problem);
    setItems([...items, ...result.data.items]);
    setCursor(result.data.nextCursor);
    setAdded(result.data.items.length);
  }

  return (
    <section aria-labelledby="requests">
      <Card>
        <h2 id="requests" className="border-b px-5 py-3.5 font-semibold">
          {t('title')}
        </h2>
        {items.length > 0 ? (
          <ul className="divide-y">
            {items.map((item) => (
              <li key={item.id} className="grid gap-1 px-5 py-3.5">
                <div className="flex items-start justify-between gap-3">
                  <h3 className="min-w-0 break-words font-medium text-sm">{item.subject}</h3>
                  <Badge tone={item.status === 'delivered' ? 'success' : 'primary'}>{t(`status.${item.status}`)}</Badge>
                </div>
                <p className="line-clamp-2 break-words text-muted text-sm">{item.body}</p>
                <p className="text-faint text-xs">
                  <RelativeTime date={item.createdAt} now={now} />
                </p>
              </li>
            ))}
          </ul>
        ) : null}
        {first.ok && items.length === 0 ? (
          <EmptyState level={3} icon={<Inbox aria-hidden="true" />} title={t('empty')}>
            <p className="text-sm">{t('emptyText')}</p>
          </EmptyState>
        ) : null}
        {problem ? (
          <div className="p-4">
            <ProblemStatus problem={problem} />
          </div>
        ) : null}
        <p role="status" className="sr-only">
          {added > 0 ? t('shown', { count: added }) : null}
        </p>
        {cursor ? (
          <div className="border-t p-3">
            <Button variant="ghost" size="sm" className="w-full" pending={pending} onClick={more}>
              {t('more')}
            </Button>
          </div>
        ) : null}
      </Card>
    </section>
  );
}
