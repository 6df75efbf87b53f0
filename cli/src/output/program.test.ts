import { expect, it } from 'vitest';
import { program, programIn } from './program.ts';

it('is typed as what is there: npm in a checkout, the program itself in the image', () => {
  expect(program).toBe('npm run ballast --');
  expect(programIn('/app/apps/api/dist')).toBe('ballast');
});
