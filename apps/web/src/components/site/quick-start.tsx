import { getTranslations } from 'next-intl/server';

export async function QuickStart() {
  const t = await getTranslations('site.start');
  return (
    <section aria-labelledby="start-title" className="mx-auto max-w-6xl px-5 pb-20 sm:px-8 lg:pb-28">
      <div className="grid items-center gap-x-12 gap-y-8 rounded-xl border bg-surface p-7 shadow-card sm:p-10 lg:grid-cols-2">
        <div className="grid gap-3">
          <h2 id="start-title" className="font-semibold text-2xl">
            {t('title')}
          </h2>
          <p className="text-muted">{t('text')}</p>
        </div>
        <dl className="grid gap-3 rounded-lg border bg-deep p-5">
          {(['run', 'test'] as const).map((name) => (
            <div key={name} className="grid gap-x-4 gap-y-0.5 sm:grid-cols-[7rem_1fr] sm:items-baseline">
              <dt className="font-mono text-sm">{name === 'run' ? 'npm start' : 'npm test'}</dt>
              <dd className="text-muted text-sm">{t(name)}</dd>
            </div>
          ))}
        </dl>
      </div>
    </section>
  );
}
