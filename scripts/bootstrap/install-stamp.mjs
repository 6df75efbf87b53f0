import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './places.mjs';

const file = join(root, 'node_modules/.ballast-installed');

/** Changes whenever an install could give something else. */
export function installStamp() {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}`);
  for (const name of manifests()) hash.update(`\0${name}\0`).update(readFileSync(join(root, name)));
  return hash.digest('hex');
}

export function readStamp() {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

export function writeStamp(stamp) {
  writeFileSync(file, stamp);
}

/** The lockfile, pnpm's settings and every package.json of the workspace. */
function manifests() {
  const inFolder = (folder) =>
    existsSync(join(root, folder))
      ? readdirSync(join(root, folder)).map((name) => join(folder, name, 'package.json'))
      : [];
  return [
    'pnpm-lock.yaml',
    'pnpm-workspace.yaml',
    '.pnpmfile.mjs',
    'package.json',
    'modules/package.json',
    'cli/package.json',
  ]
    .concat(inFolder('apps'), inFolder('packages'))
    .filter((name) => existsSync(join(root, name)))
    .sort();
}
