import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { stopOn } from './problems.ts';
import { notice } from './source.ts';

/** Text by path, relative to the root. */
export type Files = ReadonlyMap<string, string>;

export interface Difference {
  /** Missing, or with other content. */
  changed: string[];
  /** Written for something that is off or gone. */
  stale: string[];
}

/** What differs between the wanted files and what the generator's folders hold. */
export async function compare(root: string, files: Files, directories: readonly string[]): Promise<Difference> {
  const changed: string[] = [];
  for (const [path, text] of files) {
    if ((await readFile(join(root, path), 'utf8').catch(() => null)) !== text) changed.push(path);
  }
  const stale: string[] = [];
  const foreign: string[] = [];
  for (const directory of directories) {
    const entries = await readdir(join(root, directory), { recursive: true, withFileTypes: true }).catch(() => []);
    for (const entry of entries.filter((found) => found.isFile())) {
      const path = join(entry.parentPath, entry.name).slice(root.length + 1);
      if (files.has(path)) continue;
      const ours = (await readFile(join(root, path), 'utf8')).includes(notice);
      (ours ? stale : foreign).push(path);
    }
  }
  stopOn(
    foreign.map((path) => `${path} was not generated, but lies in a folder that only the generator writes. Move it.`),
  );
  return { changed: changed.sort(), stale: stale.sort() };
}

/** Writes what changed, and removes what is stale with the folders that it leaves empty. */
export async function apply(root: string, files: Files, { changed, stale }: Difference): Promise<void> {
  for (const path of changed) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), files.get(path) ?? '');
  }
  for (const path of stale) {
    await rm(join(root, path));
    let folder = dirname(join(root, path));
    while (folder.length > root.length && (await readdir(folder)).length === 0) {
      await rm(folder, { recursive: true });
      folder = dirname(folder);
    }
  }
}

/** The same files as Biome would leave them, so that a check of the whole repository finds nothing to change. */
export async function formatted(files: Files): Promise<Files> {
  const repository = fileURLToPath(new URL('../..', import.meta.url));
  const biome = createRequire(import.meta.url).resolve('@biomejs/biome/bin/biome');
  const folder = await mkdtemp(join(tmpdir(), 'ballast-generate-'));
  try {
    const paths = [...files.keys()];
    for (const [index, path] of paths.entries())
      await writeFile(join(folder, flat(index, path)), files.get(path) ?? '');
    const flags = ['check', '--write', '--vcs-enabled=false', `--config-path=${join(repository, 'biome.json')}`];
    await promisify(execFile)(process.execPath, [biome, ...flags, folder]).catch(
      (error: { stdout: string; stderr: string }) => {
        throw new Error(`Biome refused the generated code:\n${error.stdout}${error.stderr}`);
      },
    );
    const texts = await Promise.all(
      paths.map(async (path, index) => [path, await readFile(join(folder, flat(index, path)), 'utf8')] as const),
    );
    return new Map(texts);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Biome sees file names only, so the folders need not exist. */
const flat = (index: number, path: string) => `${index}-${path.slice(path.lastIndexOf('/') + 1)}`;
