import type { Env } from '@ballast/http';
import type { ConfigValues } from '@ballast/kernel';
import { type NameServer, openNameServer } from '@ballast/test-kit/name-server';
import { Hono } from 'hono';
import { type ModuleSuite, openModuleSuite } from '../../accounts/testing/module-suite.ts';
import type { config } from '../config.ts';
import { internal } from '../internal.ts';
import { handler } from '../jobs/check-proofs.handler.ts';
import { routes } from '../routes.ts';

/** The module, what it answers inside included, and the name server of the domains that it asks for. */
export interface Suite extends ModuleSuite {
  settings: ConfigValues<typeof config>;
  names: NameServer;
}

export async function openSuite(publicUrl = 'https://app.ballast.example'): Promise<Suite> {
  const names = await openNameServer();
  const settings = {
    DOMAINS_RESOLVERS: [names.address],
    options: { maxDomains: 10, graceDays: 3, proofsPerHour: 1_000 },
  };
  const suite = await openModuleSuite({
    routes: new Hono<Env>().route('/', routes).route('/internal', internal),
    handlers: [handler],
    settings,
    publicUrl,
  });
  return {
    ...suite,
    settings,
    names,
    async close() {
      await suite.close();
      names.close();
    },
  };
}
