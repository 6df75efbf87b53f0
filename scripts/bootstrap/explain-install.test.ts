import { expect, test } from 'vitest';
// @ts-expect-error plain JavaScript, which runs on an older Node before anything is installed
import { explainInstall } from './explain-install.mjs';

test.each([
  ['npm error code ENOTFOUND\nnpm error network request failed', 'cannot be reached'],
  ['ERR_PNPM_META_FETCH_FAIL  GET https://registry.npmjs.org/zod: fetch failed', 'cannot be reached'],
  ['Error: getaddrinfo EAI_AGAIN registry.npmjs.org', 'cannot be reached'],
  ['ENOSPC: no space left on device, write', 'The disk is full'],
  ['ERR_PNPM_FROZEN_LOCKFILE_WITH_OUTDATED_LOCKFILE', 'pnpm-lock.yaml does not fit'],
  ["EACCES: permission denied, mkdir '/x/node_modules'", 'may not write to this folder'],
])('%s', (output, sentence) => {
  expect(explainInstall(output, 'install.log')).toContain(sentence);
});

test('an unknown failure shows the end of the log', () => {
  expect(explainInstall('first\nERR_PNPM_SOMETHING', 'install.log')).toMatch(
    /last lines of install.log:[\s\S]+ERR_PNPM_SOMETHING/,
  );
});
