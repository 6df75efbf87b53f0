import { cx } from '@ballast/ui/cx';
import { getTranslations } from 'next-intl/server';

const STEPS = ['commit', 'dispatch', 'kill', 'again', 'done'] as const;

/** The promise, told as what happens to one sign-up. */
export async function Story() {
  const t = await getTranslations('site.story');
  return (
    <section id="story" aria-labelledby="story-title" className="scroll-mt-8 border-y bg-deep">
      <div className="mx-auto grid max-w-6xl gap-x-16 gap-y-10 px-5 py-16 sm:px-8 lg:grid-cols-[1fr_1.2fr] lg:py-24">
        <div className="grid content-start gap-4">
          <p className="font-medium text-lead-ink text-sm">{t('eyebrow')}</p>
          <h2 id="story-title" className="font-semibold text-3xl">
            {t('title')}
          </h2>
          <p className="max-w-md text-lg text-muted">{t('lead')}</p>
        </div>
        <figure className="m-0 grid gap-4">
          <ol className="rounded-xl border bg-surface px-6 py-2 shadow-card">
            {STEPS.map((step, index) => (
              <li key={step} className="relative grid grid-cols-[1.25rem_1fr] gap-x-4 py-4">
                <span aria-hidden="true" className="flex justify-center">
                  {index < STEPS.length - 1 ? <span className="absolute top-7 bottom-[-1rem] w-px bg-line" /> : null}
                  <span
                    className={cx(
                      'relative mt-1.5 size-3 rounded-full border-2',
                      step === 'kill' && 'border-lead bg-lead',
                      step === 'done' && 'border-primary bg-primary',
                      step !== 'kill' && step !== 'done' && 'border-primary bg-surface',
                    )}
                  />
                </span>
                <div className="grid gap-0.5">
                  <h3 className={cx('font-medium', step === 'kill' && 'text-lead-ink')}>{t(`steps.${step}.title`)}</h3>
                  <p className="text-muted text-sm">{t(`steps.${step}.text`)}</p>
                </div>
              </li>
            ))}
          </ol>
          <figcaption className="text-faint text-sm">{t('caption')}</figcaption>
        </figure>
      </div>
    </section>
  );
}
