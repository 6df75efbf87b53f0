import { spawnSync } from 'node:child_process';
import { root } from '../start/settings.ts';

/**
 * The newest tag `v…` behind this commit, or null. Behind its parent, in fact: a release's own commit bears its tag, and
 * would be compared with itself, which finds nothing. A checkout without history has none.
 */
export function previousRelease(checkout = root): string | null {
  const found = spawnSync('git', ['describe', '--tags', '--abbrev=0', '--match', 'v*', 'HEAD^'], {
    cwd: checkout,
    encoding: 'utf8',
  });
  return found.status === 0 ? found.stdout.trim() : null;
}
