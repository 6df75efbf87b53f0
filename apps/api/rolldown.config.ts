import { cpSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { defineConfig, type Plugin } from 'rolldown';
import { migrationSources } from './src/migration-sources.ts';

const here = import.meta.dirname;
const dist = join(here, 'dist');

/**
 * One bundle per process, in one flat folder: code that several of them need, and
 * each job's handler, are chunks of their own, so that the API loads no handler.
 * What a build carries beside code (SQL, the routes' snapshot, the reference page's script) is copied.
 */
export default defineConfig({
  input: {
    main: join(here, 'src/main.ts'),
    'workers-standalone': join(here, 'src/workers-standalone.ts'),
    migrate: join(here, 'src/migrate.ts'),
    // The operator's command line is wherever the processes are: in the image too.
    ballast: join(here, '../../cli/src/main.ts'),
  },
  platform: 'node',
  output: {
    dir: dist,
    format: 'esm',
    sourcemap: true,
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    cleanDir: true,
    // CommonJS packages ask for Node's own modules by `require`.
    banner:
      "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  transform: { target: 'node24' },
  plugins: [carry()],
});

function carry(): Plugin {
  return {
    name: 'carry',
    writeBundle({ dir = dist }) {
      for (const { module, directory } of migrationSources(join(here, 'src'))) {
        cpSync(directory, join(dir, 'migrations', module), { recursive: true });
      }
      cpSync(join(here, 'src/generated/routes.snapshot.json'), join(dir, 'routes.snapshot.json'));
      const scalar = createRequire(import.meta.url).resolve('@scalar/api-reference');
      cpSync(join(scalar, '../browser/standalone.js'), join(dir, 'assets/scalar.js'));
    },
  };
}
