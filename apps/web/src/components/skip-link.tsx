import { useTranslations } from 'next-intl';

/** The first thing that the Tab key reaches: past the menu, to the page. */
export function SkipLink() {
  const t = useTranslations('ui');
  return (
    <a
      href="#content"
      className="sr-only focus:not-sr-only focus:fixed focus:top-3 focus:left-3 focus:z-50 focus:rounded-md focus:bg-raised focus:px-4 focus:py-2 focus:shadow-float"
    >
      {t('skip')}
    </a>
  );
}
