import { createRequire } from 'node:module';
import { build } from 'rolldown';

const { resolve } = createRequire(import.meta.url);

/** Writes `@ballast/cache/replica` as one file: beside `serve.mjs` in the built folder there are no packages of ours. */
export async function bundleReplica(file) {
  await build({
    input: resolve('@ballast/cache/replica'),
    platform: 'node',
    output: {
      file,
      format: 'esm',
      codeSplitting: false,
      // CommonJS packages ask for Node's own modules by `require`.
      banner:
        "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
    transform: { target: 'node24' },
  });
}
