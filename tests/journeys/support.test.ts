import { existsSync } from 'node:fs';
import { expect, inject, test } from 'vitest';
import { useBrowser } from './harness/browser.ts';
import { mailsTo } from './harness/inbox.ts';
import { arrive, newPerson } from './harness/people.ts';

const browser = useBrowser();
const off = !existsSync('apps/web/src/app/(app)/(modules)/support');

test.skipIf(off)(
  `a request for support is mailed to the team, and shown as delivered on ${inject('queue')}`,
  async () => {
    const visitor = await browser.visitor();
    const { page } = visitor;
    const ada = newPerson();
    await arrive(visitor, ada);
    await page.getByRole('link', { name: 'Support', exact: true }).first().click();
    await page.waitForURL('**/support');
    const subject = `Where is my invoice ${ada.email}?`;
    await page.getByLabel('Subject').fill(subject);
    await page.getByLabel('What can we help with?').fill('I looked everywhere.\nTwice.');
    await page.getByRole('button', { name: 'Send request' }).click();
    await page.getByText('Your request is on its way.').waitFor();
    const delivered = async () =>
      (await mailsTo('support@ballast.localhost')).filter((mail) => mail.subject.includes(subject));
    await expect.poll(async () => (await delivered()).length, { timeout: 60_000 }).toBe(1);
    await expect
      .poll(
        async () => {
          await page.reload();
          return await page.getByText('Delivered').count();
        },
        { timeout: 60_000 },
      )
      .toBeGreaterThan(0);
  },
);
