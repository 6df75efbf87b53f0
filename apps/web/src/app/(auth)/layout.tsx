import { Wordmark } from '@ballast/ui/logo';
import Link from 'next/link';
import { NextIntlClientProvider } from 'next-intl';
import { getTranslations } from 'next-intl/server';
import type { ReactNode } from 'react';
import { BodyPlan } from '../../components/body-plan.tsx';
import { clientMessages } from '../../i18n/client-messages.ts';
import { onlyAtHome } from '../only-at-home.ts';

export default async function AuthLayout({ children }: { children: ReactNode }) {
  await onlyAtHome();
  const [t, brand, messages] = await Promise.all([
    getTranslations('auth'),
    getTranslations('brand'),
    clientMessages('auth', 'accounts.problems'),
  ]);
  return (
    <div className="grid min-h-dvh lg:grid-cols-[minmax(30rem,1fr)_1.1fr]">
      <div className="flex flex-col px-5 py-6 sm:px-10">
        <header>
          <Link href="/" aria-label={t('home')} className="inline-block rounded-sm">
            <Wordmark name={brand('name')} />
          </Link>
        </header>
        <main className="mx-auto flex w-full max-w-sm flex-1 flex-col pt-[clamp(2.5rem,12vh,8rem)] pb-12">
          <NextIntlClientProvider messages={messages}>{children}</NextIntlClientProvider>
        </main>
      </div>
      <aside className="relative hidden overflow-hidden border-l bg-deep lg:grid lg:place-items-center">
        <div className="grid w-full max-w-xl gap-10 px-12">
          <BodyPlan label={t('figure')} className="text-primary/80" />
          <p className="text-balance text-center text-lg text-muted">{t('aside')}</p>
        </div>
      </aside>
    </div>
  );
}
