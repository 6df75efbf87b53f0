import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { root } from '../start/settings.ts';

const left = new Set(['.git', '.ballast', '.next', 'dist', 'node_modules', 'screenshots']);

/**
 * Copies the checkout, to change it without touching the original. Packages are linked
 * file by file and kept between runs, since that takes longest.
 */
export function copyCheckout(target: string): void {
  mkdirSync(target, { recursive: true });
  const packages = packageFolders();
  const current = packages.length > 0 && sameInstall(target);
  for (const name of readdirSync(target)) {
    if (name !== 'node_modules') removeSources(join(target, name), current);
  }
  // Entry by entry: Node refuses to copy a folder into one below it, even when that one is left out.
  for (const name of readdirSync(root)) {
    if (!isSource(name)) continue;
    cpSync(join(root, name), join(target, name), { recursive: true, verbatimSymlinks: true, filter: isSource });
  }
  if (current) return;
  for (const folder of packages) {
    rmSync(join(target, folder), { recursive: true, force: true });
    linkTree(join(root, folder), join(target, folder));
  }
  // A file that is written in place must not be one with the original's.
  const stamp = 'node_modules/.ballast-installed';
  if (!existsSync(join(root, stamp))) return;
  rmSync(join(target, stamp), { force: true });
  cpSync(join(root, stamp), join(target, stamp));
}

const isSource = (path: string) => !left.has(basename(path)) && !path.endsWith('.tsbuildinfo');

/** Everything but the packages, where these are kept. */
function removeSources(path: string, keepPackages: boolean): void {
  if (keepPackages && hasPackages(path)) {
    for (const name of readdirSync(path)) if (name !== 'node_modules') removeSources(join(path, name), true);
    return;
  }
  rmSync(path, { recursive: true, force: true });
}

function hasPackages(path: string): boolean {
  if (existsSync(join(path, 'node_modules'))) return true;
  return ['apps', 'packages'].includes(basename(path));
}

function packageFolders(): string[] {
  const places = [
    '.',
    'modules',
    'cli',
    ...['apps', 'packages'].flatMap((name) => readdirSync(join(root, name)).map((each) => join(name, each))),
  ];
  return places.map((place) => join(place, 'node_modules')).filter((folder) => existsSync(join(root, folder)));
}

function sameInstall(target: string): boolean {
  const stamp = (folder: string) => {
    const file = join(folder, 'node_modules/.ballast-installed');
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  };
  return stamp(root) !== undefined && stamp(root) === stamp(target);
}

/** Hard links on Linux; elsewhere a plain copy. Links between packages are relative and stay inside. */
function linkTree(from: string, to: string): void {
  if (process.platform === 'linux') execFileSync('cp', ['-al', from, to]);
  else execFileSync('cp', ['-R', from, to]);
}
