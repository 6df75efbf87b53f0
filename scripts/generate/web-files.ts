import type { Chosen } from './choose-active.ts';
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
  return `${header}

/** The menu entries of every active module, in order; \`label\` is a key of the module's messages. */
export const menu = [
${menuEntries(pages).join('\n')}
] as const;

/** The messages of every active module, by language; each becomes the part below the module's name. */
export const messages = {
${chosen.flatMap(messagesOf).join('\n')}
} as const;
`;
}

function menuEntries(pages: readonly FoundPage[]): string[] {
  return pages
    .flatMap(({ module, page }) => (page.menu ? [{ module, href: page.path, ...page.menu }] : []))
    .sort((left, right) => left.order - right.order || (left.href < right.href ? -1 : 1))
    .map(({ module, href, label, icon, order }) => {
      const texts = Object.entries({ module, href, label, icon }).map(([key, value]) => `${key}: '${value}'`);
      return `{ ${texts.join(', ')}, order: ${order} },`;
    });
}

function messagesOf({ definition: { name, messages = [] } }: Chosen): string[] {
  if (messages.length === 0) return [];
  const load = (locale: string) => `'${locale}': () => import('@ballast/modules/${name}/messages/${locale}.json')`;
  return [`'${name}': { ${messages.map(load).join(', ')} },`];
}
