import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** Where logs, secrets and the embedded services' data live. */
export const dataDirectory = resolve(root, process.env.BALLAST_DATA || '.ballast');

/** The npm package `node` carries the binary: the same version in development, CI and image. */
export const nodeBinary = join(root, 'node_modules/node/bin', process.platform === 'win32' ? 'node.exe' : 'node');

/** `pnpm@<version>`, from the one place that pins it. */
export const pnpmSpec = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).packageManager;
