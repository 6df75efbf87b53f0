import { existsSync } from 'node:fs';
import { request } from 'node:http';
import { openNameServer } from '@ballast/test-kit/name-server';
import { expect, inject, test } from 'vitest';
import { useBrowser } from './harness/browser.ts';
import { arrive, newPerson } from './harness/people.ts';

const browser = useBrowser();
const on = existsSync('apps/web/src/app/(app)/(modules)/domains');

if (on)
  test('a domain is added, proved by the record that the page shows, and removed', async () => {
    const names = await openNameServer('127.0.0.1', inject('resolverPort'));
    try {
      const visitor = await browser.visitor();
      visitor.expectRefusals();
      const { page } = visitor;
      await arrive(visitor, newPerson());
      await page.getByRole('link', { name: 'Domains', exact: true }).first().click();
      await page.waitForURL('**/domains');
      await page.getByLabel('Name', { exact: true }).fill('https://shop.acme.example/');
      await page.getByRole('button', { name: 'Add domain' }).click();
      await page.getByText('Write the name of a domain').waitFor();
      await page.getByLabel('Name', { exact: true }).fill('Shop.Acme.example');
      await page.getByRole('button', { name: 'Add domain' }).click();
      await page.getByText('shop.acme.example was added.').waitFor();

      const look = page.getByRole('button', { name: 'Look for the record of shop.acme.example' });
      await look.click();
      await page.getByText('The TXT record was not found.').waitFor();
      const value = (await page.getByText(/^ballast-proof=/).textContent()) ?? '';
      names.setTexts('_ballast.shop.acme.example', [value]);
      await look.click();
      await page.getByText('The record of shop.acme.example is there.').waitFor();
      await page.getByText('Served with a certificate.').waitFor();

      await page.getByRole('button', { name: 'Remove shop.acme.example' }).click();
      await page.getByRole('button', { name: 'Remove', exact: true }).click();
      await page.getByText('shop.acme.example was removed.').waitFor();
      await page.getByText('No domains yet').waitFor();
    } finally {
      names.close();
    }
  });

/** As Caddy passes on what came by a tenant's domain. */
function byDomain(path: string): Promise<{ status: number | undefined; location: string | undefined }> {
  const headers = { host: 'shop.acme.example', 'x-ballast-domain': 'shop.acme.example' };
  return new Promise((resolve, reject) => {
    request(new URL(path, inject('webUrl')), { headers }, (response) => {
      response.resume();
      resolve({ status: response.statusCode, location: response.headers.location });
    })
      .once('error', reject)
      .end();
  });
}

test("on a tenant's domain the public page is shown, and what needs an account leads home", async () => {
  expect(await byDomain('/')).toMatchObject({ status: 200 });
  for (const path of ['/sign-in?next=%2Fsettings', '/sign-up', '/dashboard', '/settings']) {
    expect(await byDomain(path)).toEqual({ status: 307, location: `${inject('webUrl')}${path}` });
  }
});
