import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { closestName, type ModulePage, menuIcons } from '@ballast/kernel';
import type { Chosen } from './choose-active.ts';
import { didYouMean, stopOn } from './problems.ts';

/** A page as the generated route file exports it. */
export interface FoundPage {
  module: string;
  page: ModulePage;
  /** What the page exports beside its default, of what Next reads. */
  named: string[];
  /** Next reads these without running the file, so they are copied as they stand. */
  literals: string[];
}

const shell = 'apps/web/src/app';

/** Reads the pages of active modules; no two may have one address, nor one of the hand-written shell. */
export async function readPages(root: string, chosen: readonly Chosen[]): Promise<FoundPage[]> {
  const problems: string[] = [];
  const owners = await shellAddresses(root);
  const found: FoundPage[] = [];
  for (const { definition } of chosen) {
    for (const page of definition.pages ?? []) {
      const where = `modules/${definition.name}/module.ts`;
      if (!/^(\/[\w.[\]-]+)+$/.test(page.path)) {
        problems.push(`${where}: the page address '${page.path}' must look like /support or /support/[id].`);
        continue;
      }
      if (page.menu) problems.push(...iconProblems(where, page.menu.icon));
      const owner = owners.get(shapeOf(page.path));
      if (owner) problems.push(`${where}: the page address ${page.path} belongs to ${owner} already.`);
      owners.set(shapeOf(page.path), where);
      const source = await readFile(join(root, 'modules', definition.name, 'web', `${page.file}.page.tsx`), 'utf8');
      if (!/^export default /m.test(source) && !/export \{[^}]*\bdefault\b/.test(source)) {
        problems.push(`modules/${definition.name}/web/${page.file}.page.tsx has no default export.`);
      }
      found.push({ module: definition.name, page, named: namedExports(source), literals: literalExports(source) });
    }
  }
  stopOn(problems);
  return found;
}

function iconProblems(where: string, icon: string): string[] {
  const known: readonly string[] = menuIcons;
  if (known.includes(icon)) return [];
  const others = `. It has ${known.join(', ')}; packages/kernel/src/menu-icons.ts is the place for another.`;
  return [`${where}: the menu has no icon '${icon}'${didYouMean(closestName(icon, known)) || others}`];
}

/** Two addresses that differ only in a parameter's name are one. */
const shapeOf = (path: string) => path.replaceAll(/\[[^\]]+\]/g, '[]');

async function shellAddresses(root: string): Promise<Map<string, string>> {
  const files = await readdir(join(root, shell), { recursive: true }).catch(() => []);
  const pages = files.filter((file) => /(^|\/)page\.tsx$/.test(file) && !file.includes('(modules)'));
  return new Map(
    pages.map((file) => {
      const steps = file.split('/').slice(0, -1);
      const path = steps.filter((step) => !step.startsWith('(')).map((step) => `/${step}`);
      return [shapeOf(path.join('') || '/'), `${shell}/${file}`];
    }),
  );
}

function namedExports(source: string): string[] {
  return ['metadata', 'generateMetadata', 'viewport', 'generateViewport', 'generateStaticParams'].filter((name) =>
    new RegExp(`^export (const|(async )?function) ${name}\\b`, 'm').test(source),
  );
}

function literalExports(source: string): string[] {
  const config =
    /^export const (dynamic|dynamicParams|revalidate|fetchCache|runtime|preferredRegion|maxDuration) = .*;$/gm;
  return [...source.matchAll(config)].map(([line]) => line);
}
