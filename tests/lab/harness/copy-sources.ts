import { cpSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { root } from '../../../scripts/start/settings.ts';

/** What .gitignore keeps out of a clone, and git's own folder. */
const ignored =
  /^(?:\.git|node_modules|\.ballast|dist|\.next|.*\.tsbuildinfo|next-env\.d\.ts|secrets|\.env(?:\.(?!example).*)?)$/;

/** The checkout as a clone of it would be, with what is not committed yet. Returns its folder. */
export function copySources(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ballast-lab-'));
  for (const name of readdirSync(root)) {
    if (ignored.test(name)) continue;
    cpSync(join(root, name), join(folder, name), {
      recursive: true,
      // A folder of the code may be called secrets; only the one at the top holds any.
      filter: (path) => basename(path) === 'secrets' || !ignored.test(basename(path)),
    });
  }
  return folder;
}
