import { join } from 'node:path';
import { build } from 'rolldown';

/**
 * Bundles the process that is killed, as an image is: from its sources one takes ten times the
 * processor time to start, and a thousand of them would leave none for the jobs. Returns the file.
 */
export async function buildWorker(folder: string): Promise<string> {
  await build({
    input: join(import.meta.dirname, 'worker-process.ts'),
    platform: 'node',
    logLevel: 'silent',
    output: {
      dir: folder,
      format: 'esm',
      sourcemap: true,
      cleanDir: true,
      // CommonJS packages ask for Node's own modules by `require`.
      banner:
        "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
    transform: { target: 'node24' },
  });
  return join(folder, 'worker-process.js');
}
