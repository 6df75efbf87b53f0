import { readFile, writeFile } from 'node:fs/promises';
import { Problems } from './problems.ts';

/**
 * Turns a module on or off in `app.config.ts` itself, so that the boot check and the next run agree with the result.
 * Returns how to undo it, for a choice that turns out to be impossible.
 */
export async function switchModule(configFile: string, name: string, on: boolean): Promise<() => Promise<void>> {
  const source = await readFile(configFile, 'utf8');
  const line = new RegExp(`^(\\s*['"]?${name}['"]?\\s*:\\s*)(true|false)\\b`, 'm');
  if (!line.test(source)) {
    throw new Problems([
      `${configFile} has no line '${name}: true' or '${name}: false' to change. A module with options is switched by hand.`,
    ]);
  }
  await writeFile(configFile, source.replace(line, `$1${on}`));
  return () => writeFile(configFile, source);
}
