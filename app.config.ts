import { defineApp } from '@ballast/kernel';

/**
 * Which features this product has. After a change run `pnpm generate:active-modules`.
 *
 * `true` is on, an object is on with options (see the module's `config.ts`), and
 * `false` is off: its routes, jobs, pages and strings are absent; its tables stay.
 */
export default defineApp({
  name: 'Ballast',
  modules: {
    accounts: true,
    support: true,
    domains: true,
  },
});
