import { expect, inject, test } from 'vitest';
import { useBrowser } from './harness/browser.ts';
import { linkIn, mailsTo, nthMail } from './harness/inbox.ts';
import { arrive, newPerson, onDashboard, signIn, signOut, signUp } from './harness/people.ts';

const browser = useBrowser();
const on = `on ${inject('queue')}`;

test(`sign up, mail, link, dashboard, sign out, sign in ${on}`, async () => {
  const visitor = await browser.visitor();
  const ada = newPerson();
  await signUp(visitor, ada);
  expect(await visitor.page.getByText(ada.email).count()).toBeGreaterThan(0);
  const mail = await nthMail(ada.email, 1);
  expect(mail.html).toContain('/verify?token=');
  await visitor.open(linkIn(mail, '/verify'));
  await onDashboard(visitor, ada);

  await signOut(visitor, ada);
  await visitor.page.goto('/dashboard');
  await visitor.page.waitForURL('**/sign-in*');

  await signIn(visitor, ada);
  await onDashboard(visitor, ada);
});

test(`forgot, mail, reset, sign in with the new password only ${on}`, async () => {
  const visitor = await browser.visitor();
  const { page } = visitor;
  const ada = newPerson();
  await arrive(visitor, ada);
  await signOut(visitor, ada);
  const before = (await mailsTo(ada.email)).length;

  await visitor.open('/forgot');
  await page.getByLabel('E-mail address').fill(ada.email);
  await page.getByRole('button', { name: 'Send the link' }).click();
  await page.getByRole('heading', { name: 'Check your inbox' }).waitFor();
  await visitor.open(linkIn(await resetMail(ada.email, before), '/reset'));
  const changed = { ...ada, password: 'another long phrase' };
  await page.getByLabel('New password').fill(changed.password);
  await page.getByRole('button', { name: 'Set password' }).click();
  await page.getByText('Your password is changed').first().waitFor();

  visitor.expectRefusals();
  await signIn(visitor, ada);
  await page.getByText('The address or the password is not right.').first().waitFor();
  await signIn(visitor, changed);
  await onDashboard(visitor, ada);
});

test('signing out everywhere ends the session of another device', async () => {
  const first = await browser.visitor();
  const second = await browser.visitor();
  const ada = newPerson();
  await arrive(first, ada);
  await signIn(second, ada);
  await onDashboard(second, ada);
  await second.open('/settings');
  await second.page.getByRole('button', { name: 'Sign out everywhere' }).click();
  await second.page.getByRole('alertdialog').getByRole('button', { name: 'Sign out everywhere' }).click();
  await second.page.waitForURL('**/sign-in*');
  await first.page.goto('/dashboard');
  await first.page.waitForURL('**/sign-in*');
});

/** The welcome mail may come at any time between; the reset's is the one with its link. */
async function resetMail(address: string, before: number) {
  for (let n = Math.max(1, before); ; n++) {
    const mail = await nthMail(address, n);
    if (mail.text.includes('/reset?token=')) return mail;
  }
}
