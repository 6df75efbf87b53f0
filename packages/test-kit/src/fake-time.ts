import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Debian's package libfaketime, for whatever architecture: loaded into a program (`LD_PRELOAD`), it gives it another clock. */
export function findFakeTime(): string | undefined {
  const libraries = '/usr/lib';
  return readdirSync(libraries)
    .map((folder) => join(libraries, folder, 'faketime/libfaketimeMT.so.1'))
    .find((file) => existsSync(file));
}
