/**
 * Lets Node import `.tsx` from source: it strips types from `.ts` by itself, and
 * knows no JSX. For development and scripts; builds are bundled.
 *
 *   node --import ./scripts/tsx-hook.mjs apps/api/src/workers-standalone.ts
 */
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { transformSync } from 'rolldown/utils';

registerHooks({
  load(url, context, nextLoad) {
    if (!url.startsWith('file:') || !url.endsWith('.tsx')) return nextLoad(url, context);
    const path = fileURLToPath(url);
    const { code, errors } = transformSync(path, readFileSync(path, 'utf8'), {
      lang: 'tsx',
      sourcemap: false,
      jsx: { runtime: 'automatic' },
    });
    if (errors.length > 0) throw new SyntaxError(`${path}: ${errors.map((error) => error.message).join('; ')}`);
    return { format: 'module', source: code, shortCircuit: true };
  },
});
