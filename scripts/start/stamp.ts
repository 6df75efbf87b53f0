import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { root } from './settings.ts';

const ignored = new Set([
  'node_modules',
  'dist',
  '.next',
  '.ballast',
  '.git',
  'coverage',
  'next-env.d.ts',
  'README.md',
]);

/** A hash of everything that a build reads: file names and contents below the places, in a fixed order. */
export function hashInputs(places: readonly string[], extra = ''): string {
  const hash = createHash('sha256').update(extra);
  for (const place of places) {
    for (const file of filesBelow(join(root, place))) {
      hash.update(`\0${relative(root, file)}\0`).update(readFileSync(file));
    }
  }
  return hash.digest('hex');
}

/** Tests are no input: editing one rebuilds nothing. */
function filesBelow(path: string): string[] {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) return [];
  if (found.isFile()) return [path];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => !ignored.has(entry.name) && !/\.test\.tsx?$|\.tsbuildinfo$/.test(entry.name))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) =>
      entry.isDirectory() ? filesBelow(join(path, entry.name)) : entry.isFile() ? [join(path, entry.name)] : [],
    );
}

/** Runs the build unless its output carries the stamp of these inputs. Returns whether it ran. */
export async function buildOnChange(
  stampFile: string,
  inputs: () => string,
  build: () => Promise<void>,
): Promise<boolean> {
  const before = inputs();
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === before) return false;
  rmSync(stampFile, { force: true });
  await build();
  // Taken again: the build may write inputs itself (generated files), never the reverse.
  writeFileSync(stampFile, inputs());
  return true;
}
