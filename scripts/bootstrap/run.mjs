import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { handOver } from './hand-over.mjs';
import { install } from './install.mjs';
import { installStamp, readStamp } from './install-stamp.mjs';
import { nodeBinary, root } from './places.mjs';

const verbs = ['start', 'test', 'dev'];

/** Installs what is missing, then runs `scripts/<verb>/main.ts` on the pinned Node. */
export async function run(verb, args) {
  if (!verbs.includes(verb)) {
    console.error(`Usage: node scripts/bootstrap.mjs ${verbs.join('|')}`);
    process.exit(1);
  }
  try {
    if (!existsSync(nodeBinary) || readStamp() !== installStamp()) await install();
    process.exitCode = await handOver(join(root, 'scripts', verb, 'main.ts'), args);
  } catch (error) {
    console.error(`\n  ${error.message}\n`);
    process.exitCode = 1;
  }
}
