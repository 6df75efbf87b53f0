import { resolve } from 'node:path';
import type { Given } from '../command.ts';
import type { Surroundings } from '../database/dispatcher-url.ts';

export const folderOption = { in: { value: 'FOLDER', description: 'where the files are (default: secrets)' } };

export const folderOf = ({ options }: Given, { root }: Surroundings) => resolve(root, options.in ?? 'secrets');
