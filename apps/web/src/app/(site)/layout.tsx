import { buttonClass } from '@ballast/ui/button';
import { Wordmark } from '@ballast/ui/logo';
import Link from 'next/link';
import { getTranslations } from 'next-intl/server';
import type { ReactNode } from 'react';
import { isSignedIn } from '../../api/me.ts';
import { SkipLink } from '../../components/skip-link.tsx';

export default async function SiteLayout({ children }: { children: ReactNode }) {
  const [t, brand, known] = await Promise.all([getTranslations('site'), getTranslations('brand'), isSignedIn()]);
  return (
    <>
      <SkipLink />
      <header className="mx-auto flex h-16 w-full max-w-6xl items-center justify-between px-5 sm:px-8">
        <Link href="/" className="rounded-sm">
          <Wordmark name={brand('name')} />
        </Link>
        <nav aria-label={t('nav')} className="flex items-center gap-1 sm:gap-2">
          {known ? (
            <Link href="/dashboard" className={buttonClass({ size: 'sm' })}>
              {t('open')}
            </Link>
          ) : (
            <>
              <Link href="/sign-in" className={buttonClass({ variant: 'ghost', size: 'sm' })}>
                {t('signIn')}
              </Link>
              <Link href="/sign-up" className={buttonClass({ size: 'sm' })}>
                {t('signUp')}
              </Link>
            </>
          )}
        </nav>
      </header>
      <main id="content">{children}</main>
      <footer className="border-t">
        <div className="mx-auto flex max-w-6xl flex-wrap items-center justify-between gap-4 px-5 py-8 text-muted text-sm sm:px-8">
          <Wordmark name={brand('name')} className="text-base" />
          <p>{t('footer')}</p>
        </div>
      </footer>
    </>
  );
}
