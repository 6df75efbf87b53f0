import { buttonClass } from '@ballast/ui/button';
import { EmptyState } from '@ballast/ui/empty-state';
import { Mark } from '@ballast/ui/logo';
import type { Metadata } from 'next';
import Link from 'next/link';
import { getTranslations } from 'next-intl/server';

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('errors.notFound'))('title') };
}

export default async function NotFound() {
  const t = await getTranslations('errors.notFound');
  return (
    <main className="grid min-h-dvh place-items-center">
      <EmptyState
        level={1}
        icon={<Mark />}
        title={t('title')}
        action={
          <Link href="/" className={buttonClass({ variant: 'secondary' })}>
            {t('home')}
          </Link>
        }
      >
        {t('text')}
      </EmptyState>
    </main>
  );
}
