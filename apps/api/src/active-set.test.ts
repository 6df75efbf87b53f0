import { defineApp } from '@ballast/kernel';
import { activeSetHash } from '@ballast/kernel/active-set';
import { describe, expect, it } from 'vitest';
import { refuseStaleSnapshot } from './active-set.ts';

const app = defineApp({ name: 'Acme', modules: { accounts: true, support: { maxOpenRequests: 5 } } });
const snapshot = { activeSet: activeSetHash(app), modules: ['accounts', 'support'] };

describe('refuseStaleSnapshot', () => {
  it('lets a process start whose generated code is of the same set', () => {
    expect(() => refuseStaleSnapshot(app, snapshot)).not.toThrow();
  });

  it.each([
    ['a module was switched off', { accounts: true, support: false }],
    ['an option was changed', { accounts: true, support: { maxOpenRequests: 6 } }],
    ['a module was added', { ...app.modules, billing: true }],
  ])('names the command when %s', (_case, modules) => {
    expect(() => refuseStaleSnapshot({ name: 'Acme', modules }, snapshot)).toThrow(
      /Run `npm run generate:active-modules` before the build\./,
    );
  });
});
