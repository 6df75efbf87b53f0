import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../start/settings.ts';

/** Pages that say where things are in the code, which moves. */
const pages = ['README.md', 'CONTRIBUTING.md', 'docs', 'docs/decisions']
  .flatMap((place) => (place.endsWith('.md') ? [place] : markdownIn(place)))
  .filter((page) => existsSync(join(root, page)) && page !== 'docs/writing-a-module.md');

function markdownIn(folder: string): string[] {
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${folder}/${name}`);
}

/** Paths in backticks, from the checkout's root, and links to files. A path with a placeholder names no file. */
function citedIn(page: string): string[] {
  const text = readFileSync(join(root, page), 'utf8');
  const paths = [...text.matchAll(/`((?:apps|cli|docs|modules|packages|scripts|tests)\/[^\s`<>*{}…]+)`/g)];
  const links = [...text.matchAll(/\]\((?!\w+:|#)([^)\s#]+)/g)];
  return [...paths.map(([, path = '']) => path), ...links.map(([, link = '']) => join(dirname(page), link))];
}

describe('what the documentation cites', () => {
  it.each(pages)('exists: %s', (page) => {
    expect(citedIn(page).filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it('is found at all', () => {
    expect(citedIn('docs/jobs.md').length).toBeGreaterThan(20);
  });
});
