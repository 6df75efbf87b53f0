'use client';
import type { Problem } from '@ballast/ui/api/problem';
import { Button } from '@ballast/ui/button';
import { EmptyState } from '@ballast/ui/empty-state';
import { CloudOff } from 'lucide-react';
import { useRouter } from 'next/navigation';
import { useTranslations } from 'next-intl';
import { useEffect, useTransition } from 'react';

const RETRY_MS = 5_000;

/** Instead of a page while the API does not answer. Asks again by itself, gently, and when told to. */
export function ServiceDown({ problem }: { problem: Problem }) {
  const t = useTranslations('shell.down');
  const ui = useTranslations('ui');
  const router = useRouter();
  const [pending, startTransition] = useTransition();

  useEffect(() => {
    const timer = setInterval(() => router.refresh(), RETRY_MS);
    return () => clearInterval(timer);
  }, [router]);

  return (
    <main className="grid min-h-dvh place-items-center">
      <div role="alert">
        <EmptyState
          level={1}
          icon={<CloudOff aria-hidden="true" />}
          title={t('title')}
          action={
            <Button variant="secondary" pending={pending} onClick={() => startTransition(() => router.refresh())}>
              {ui('retry')}
            </Button>
          }
        >
          <p>{t('text')}</p>
          {problem.requestId ? (
            <p className="mt-2 font-mono text-xs">{ui('requestId', { id: problem.requestId })}</p>
          ) : null}
        </EmptyState>
      </div>
    </main>
  );
}
