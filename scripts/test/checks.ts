import { join } from 'node:path';
import { root } from '../start/settings.ts';
import { runNode } from './run-command.ts';
import type { Step } from './step-result.ts';

/** A check counts as one test: it holds or it does not. */
export function check(name: string, args: readonly string[], cwd = root, env: NodeJS.ProcessEnv = {}): Step {
  return {
    name,
    async run() {
      const { code, output } = await runNode(args, { cwd, env });
      const counts = code === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 };
      return { counts, note: 'check', output };
    },
  };
}

const bin = (path: string) => join(root, 'node_modules', path);
const tsc = bin('typescript/bin/tsc');

/** What needs no process but its own, quickest first. */
export function checks(): Step[] {
  return [
    check('generated code is current', ['scripts/generate-active-modules.ts', '--check']),
    check('lint and format (biome)', [bin('@biomejs/biome/bin/biome'), 'check', '.']),
    ...types(root, ''),
    check('unused code (knip)', [bin('knip/bin/knip.js')]),
    check('imports (dependency-cruiser)', [
      bin('dependency-cruiser/bin/dependency-cruiser.mjs'),
      ...[
        '--config',
        '.dependency-cruiser.cjs',
        'apps',
        'cli',
        'packages',
        'modules',
        'scripts',
        'tests',
        'app.config.ts',
      ],
    ]),
  ];
}

/** The web app has a configuration of its own: the browser's types. */
export function types(folder: string, suffix: string): Step[] {
  return [
    check(`types${suffix}`, [tsc, '--noEmit', '-p', 'tsconfig.json'], folder),
    check(`types of the web app${suffix}`, [tsc, '--noEmit', '-p', 'apps/web/tsconfig.json'], folder),
  ];
}
