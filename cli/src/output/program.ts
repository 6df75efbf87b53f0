import { basename } from 'node:path';

/**
 * What is typed in front of a command. In the image the command line is a bundle beside the API's processes, and a program;
 * in a checkout npm starts it, which keeps every option to itself that stands before the two dashes. pnpm may be
 * there too (`pnpm ballast`), but nobody needs it.
 */
export function programIn(folder: string): string {
  return isBundle(folder) ? 'ballast' : 'npm run ballast --';
}

export const isBundle = (folder: string) => basename(folder) === 'dist';

export const program = programIn(import.meta.dirname);
