import type { ConfigValues } from '@ballast/kernel';
import { type Inbox, openInbox } from '@ballast/test-kit/inbox';
import { type ModuleSuite, openModuleSuite } from '../../accounts/testing/module-suite.ts';
import type { config } from '../config.ts';
import { handler } from '../jobs/send-request.handler.ts';
import { routes } from '../routes.ts';

/** The module, and the mailbox of the team that it writes to. */
export interface Suite extends ModuleSuite {
  settings: ConfigValues<typeof config>;
  inbox: Inbox;
}

export async function openSuite(): Promise<Suite> {
  const settings = { SUPPORT_EMAIL: 'team@example.com', options: { maxOpenRequests: 20 } };
  const inbox = await openInbox();
  const suite = await openModuleSuite({ routes, handlers: [handler], settings, inbox });
  return {
    ...suite,
    settings,
    inbox,
    async close() {
      await suite.close();
      await inbox.close();
    },
  };
}
