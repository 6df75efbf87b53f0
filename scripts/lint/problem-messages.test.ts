import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from '../start/settings.ts';

const modules = readdirSync(join(root, 'modules')).filter((name) =>
  existsSync(join(root, 'modules', name, 'errors.ts')),
);

it.each(modules)('%s has words for errors that exist, and for no others', async (name) => {
  const folder = join(root, 'modules', name);
  const { errors } = (await import(join(folder, 'errors.ts'))) as { errors: object };
  const { problems = {} } = JSON.parse(readFileSync(join(folder, 'messages/en.json'), 'utf8')) as { problems?: object };
  expect(Object.keys(problems).filter((code) => !(code in errors))).toEqual([]);
});

it('looks at modules at all', () => expect(modules.length).toBeGreaterThan(1));
