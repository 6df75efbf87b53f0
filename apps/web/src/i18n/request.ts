import { getRequestConfig } from 'next-intl/server';
import { messages as moduleMessages } from '../generated/modules.ts';

/** The catalogue's language, and the country whose way of writing dates goes with its spelling. */
const LOCALE = 'en';
const FORMATS = 'en-GB';

/** One catalogue: the web app's own words, and below each module's name the module's. */
export default getRequestConfig(async () => {
  const own = (await import('../../messages/en.json')).default;
  const modules = await Promise.all(
    Object.entries(moduleMessages).map(async ([name, load]) => [name, (await load[LOCALE]()).default] as const),
  );
  return { locale: FORMATS, timeZone: 'UTC', messages: { ...own, ...Object.fromEntries(modules) } };
});
