import { buttonClass } from '@ballast/ui/button';
import Link from 'next/link';
import { getTranslations } from 'next-intl/server';
import { BodyPlan } from '../body-plan.tsx';

export async function Hero() {
  const t = await getTranslations('site');
  return (
    <section className="mx-auto grid max-w-6xl items-center gap-x-12 gap-y-10 px-5 pt-12 pb-20 sm:px-8 lg:grid-cols-[1fr_1.05fr] lg:pt-20 lg:pb-28">
      <div className="grid gap-6">
        <h1 className="font-semibold text-4xl sm:text-5xl">{t('hero.title')}</h1>
        <p className="max-w-[34rem] text-lg text-muted">{t('hero.lead')}</p>
        <div className="flex flex-wrap gap-3 pt-2">
          <Link href="/sign-up" className={buttonClass({ size: 'lg' })}>
            {t('signUp')}
          </Link>
          <a href="#story" className={buttonClass({ variant: 'secondary', size: 'lg' })}>
            {t('hero.secondary')}
          </a>
        </div>
      </div>
      <BodyPlan label={t('hero.figure')} className="text-primary" />
    </section>
  );
}
