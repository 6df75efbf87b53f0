'use client';
import { Button } from '@ballast/ui/button';
import { EmptyState } from '@ballast/ui/empty-state';
import { TriangleAlert } from 'lucide-react';
import { useRouter } from 'next/navigation';
import { useTranslations } from 'next-intl';
import { useTransition } from 'react';
import { useReloadWhenOld } from './old-tab.ts';

/** A page that failed: what to do, and the reference under which the server logged it. */
export function PageError({ error, reset }: { error: Error & { digest?: string }; reset: () => void }) {
  const reloading = useReloadWhenOld(error);
  const t = useTranslations('errors.page');
  const ui = useTranslations('ui');
  const router = useRouter();
  const [pending, startTransition] = useTransition();
  const retry = () =>
    startTransition(() => {
      router.refresh();
      reset();
    });
  if (reloading) return null;
  return (
    <div role="alert">
      <EmptyState
        level={1}
        icon={<TriangleAlert aria-hidden="true" />}
        title={t('title')}
        action={
          <Button variant="secondary" pending={pending} onClick={retry}>
            {ui('retry')}
          </Button>
        }
      >
        <p>{t('text')}</p>
        {error.digest ? <p className="mt-2 font-mono text-xs">{t('reference', { id: error.digest })}</p> : null}
      </EmptyState>
    </div>
  );
}
