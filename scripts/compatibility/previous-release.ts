import { spawnSync } from 'node:child_process';
import { root } from '../start/settings.ts';

/** The newest tag `v…` behind this commit, or null. A checkout without history has none. */
export function previousRelease(): string | null {
  const found = spawnSync('git', ['describe', '--tags', '--abbrev=0', '--match', 'v*'], {
    cwd: root,
    encoding: 'utf8',
  });
  return found.status === 0 ? found.stdout.trim() : null;
}
