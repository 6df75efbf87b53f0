import type { Chosen } from './choose-active.ts';
import { stopOn } from './problems.ts';
import type { FoundPage } from './read-pages.ts';
import { header } from './source.ts';

/** Where the web app's half is written. */
export const webDirectory = 'apps/web/src/generated';
export const pagesDirectory = 'apps/web/src/app/(app)/(modules)';

/** A route file of Next that hands over to the module's page. */
export function pageFile({ module, page, named, literals }: FoundPage): { path: string; text: string } {
  const text = `${header}
export { ${['default', ...named].join(', ')} } from '@ballast/modules/${module}/web/${page.file}.page';
${literals.length > 0 ? `\n${literals.join('\n')}\n` : ''}`;
  return { path: `${pagesDirectory}${page.path}/page.tsx`, text };
}

/** `modules.ts`: what the shell shows of the active modules. */
export function modulesFile(chosen: readonly Chosen[], pages: readonly FoundPage[]): string {
  const entries = pages
    .flatMap(({ module, page }) => (page.menu ? [{ module, path: page.path, ...page.menu }] : []))
    .sort((left, right) => left.order - right.order || left.path.localeCompare(right.path))
    .map(({ module, path, label, icon }) => `{ path: '${path}', label: '${module}.${label}', icon: '${icon}' },`);
  return `${header}
export interface MenuEntry {
  path: string;
  /** A key of the messages. */
  label: string;
  /** A name of lucide's. */
  icon: string;
}

/** The menu entries of every active module, in order. */
export const menu: readonly MenuEntry[] = [
${entries.join('\n')}
];

/** By language: the messages of every active module, each under its module's name. */
export const moduleMessages = {
${localesOf(chosen)
  .map((locale) => `'${locale}': async () => ({${messagesOf(chosen, locale)}}),`)
  .join('\n')}
};
`;
}

function messagesOf(chosen: readonly Chosen[], locale: string): string {
  return chosen
    .map(({ definition }) => definition)
    .filter(({ messages }) => messages?.includes(locale))
    .map(({ name }) => `'${name}': (await import('@ballast/modules/${name}/messages/${locale}.json')).default,`)
    .join('\n');
}

/** Every language that any module speaks; a module that lacks one would show keys instead of words. */
function localesOf(chosen: readonly Chosen[]): string[] {
  const speaking = chosen.map(({ definition }) => definition).filter(({ messages }) => messages?.length);
  const locales = [...new Set(speaking.flatMap(({ messages }) => messages ?? []))].sort();
  stopOn(
    speaking.flatMap(({ name, messages }) =>
      locales
        .filter((locale) => !messages?.includes(locale))
        .map((locale) => `modules/${name}/messages/${locale}.json is missing: other modules speak '${locale}'.`),
    ),
  );
  return locales;
}
