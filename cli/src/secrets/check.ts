import type { LocalCommand } from '../command.ts';
import { checkSecrets } from './check-secrets.ts';
import { folderOf, folderOption } from './folder-option.ts';

export const check: LocalCommand = {
  name: 'check',
  summary: 'Says everything that is wrong with the secrets, and shows none of them.',
  options: folderOption,
  async act(given, surroundings) {
    const folder = folderOf(given, surroundings);
    const { values, problems } = checkSecrets(folder, { complete: true, closed: true });
    const ok = problems.length === 0;
    return {
      text: ok ? `All ${values.size} secrets in ${folder} can be used.` : problems.join('\n'),
      data: { folder, right: [...values.keys()], problems },
      ok,
    };
  },
};
