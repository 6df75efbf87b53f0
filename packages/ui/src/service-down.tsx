'use client';
import { CloudOff } from 'lucide-react';
import { useRouter } from 'next/navigation';
import { useTranslations } from 'next-intl';
import { useEffect, useTransition } from 'react';
import type { Problem } from './api/problem.ts';
import { Button } from './button.tsx';
import { EmptyState } from './empty-state.tsx';

const RETRY_MS = 5_000;

/** Instead of a page while the API does not answer. Asks again by itself, gently, and when told to. */
export function ServiceDown({ problem }: { problem: Problem }) {
  const t = useTranslations('ui');
  const router = useRouter();
  const [pending, startTransition] = useTransition();

  useEffect(() => {
    const timer = setInterval(() => router.refresh(), RETRY_MS);
    return () => clearInterval(timer);
  }, [router]);

  return (
    <div role="alert">
      <EmptyState
        level={1}
        icon={<CloudOff aria-hidden="true" />}
        title={t('down.title')}
        action={
          <Button variant="secondary" pending={pending} onClick={() => startTransition(() => router.refresh())}>
            {t('retry')}
          </Button>
        }
      >
        <p>{t('down.text')}</p>
        {problem.requestId ? (
          <p className="mt-2 font-mono text-xs">{t('requestId', { id: problem.requestId })}</p>
        ) : null}
      </EmptyState>
    </div>
  );
}
