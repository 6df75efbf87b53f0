import { Blocks, Braces, Building2, KeyRound, MessageSquareWarning, RotateCcw } from 'lucide-react';
import { getTranslations } from 'next-intl/server';

const FEATURES = [
  ['jobs', RotateCcw],
  ['tenancy', Building2],
  ['accounts', KeyRound],
  ['errors', MessageSquareWarning],
  ['modules', Blocks],
  ['types', Braces],
] as const;

export async function Features() {
  const t = await getTranslations('site.features');
  return (
    <section aria-labelledby="features-title" className="mx-auto grid max-w-6xl gap-12 px-5 py-16 sm:px-8 lg:py-24">
      <div className="grid gap-4">
        <p className="font-medium text-lead-ink text-sm">{t('eyebrow')}</p>
        <h2 id="features-title" className="max-w-xl font-semibold text-3xl">
          {t('title')}
        </h2>
      </div>
      <ul className="grid gap-x-10 gap-y-10 sm:grid-cols-2 lg:grid-cols-3">
        {FEATURES.map(([name, Icon]) => (
          <li key={name} className="grid content-start gap-2 border-t pt-5">
            <Icon aria-hidden="true" className="size-5 text-primary" strokeWidth={1.75} />
            <h3 className="pt-1 font-semibold">{t(`${name}.title`)}</h3>
            <p className="text-muted">{t(`${name}.text`)}</p>
          </li>
        ))}
      </ul>
    </section>
  );
}
