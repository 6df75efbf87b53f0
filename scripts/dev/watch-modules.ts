import { watch } from 'node:fs';
import { join } from 'node:path';
import { root } from '../start/settings.ts';

interface Reactions {
  generate(): Promise<void>;
  migrate(): Promise<void>;
}

/** Writes the generated files again when a module changes, and applies a migration that was added. */
export function watchModules(ended: AbortSignal, reactions: Reactions): void {
  let timer: NodeJS.Timeout | undefined;
  let migrations = false;
  let working = Promise.resolve();
  const react = () => {
    const migrate = migrations;
    migrations = false;
    working = working
      .then(() => reactions.generate())
      .then(() => (migrate ? reactions.migrate() : undefined))
      .catch((error: Error) => {
        if (!ended.aborted) process.stderr.write(`\n  ${error.message}\n\n`);
      });
  };
  const changed = (_event: string, name: string | null) => {
    if (!name || !concernsGenerator(name)) return;
    migrations ||= name.endsWith('.sql');
    clearTimeout(timer);
    timer = setTimeout(react, 200);
  };
  watch(join(root, 'modules'), { recursive: true, signal: ended }, changed);
  // The folder, since editors replace the file that they save.
  watch(root, { signal: ended }, (event, name) => name === 'app.config.ts' && changed(event, name));
}

/** Actions, components and tests are read when they run; what the generator reads is named here. */
export function concernsGenerator(name: string): boolean {
  if (/\.test\.tsx?$|node_modules/.test(name)) return false;
  return /(^|[\\/])((module|config|routes|app\.config)\.ts|[^\\/]+\.(job|handler|schedule|page)\.tsx?|[^\\/]+\.sql|[a-z-]+\.json)$/.test(
    name,
  );
}
