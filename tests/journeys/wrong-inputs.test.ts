import { expect, test } from 'vitest';
import { useBrowser } from './harness/browser.ts';
import { linkIn, nthMail } from './harness/inbox.ts';
import { arrive, newPerson, onDashboard, signIn, signOut, signUp } from './harness/people.ts';

const browser = useBrowser();

test('an empty and a wrong sign-up form say what to do at each field, and send nothing', async () => {
  const { page, open } = await browser.visitor();
  await open('/sign-up');
  const sent: string[] = [];
  page.on('request', (request) => request.method() === 'POST' && sent.push(request.url()));
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.getByText('Fill this in.').first().waitFor();
  await page.getByLabel('Your name').fill('Ada');
  await page.getByLabel('E-mail address').fill('not an address');
  await page.getByLabel('Password', { exact: true }).fill('short');
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.getByText('Enter an e-mail address').waitFor();
  await page.getByText('Use at least 10 characters.').waitFor();
  expect(await page.getByLabel('E-mail address').getAttribute('aria-invalid')).toBe('true');
  expect(sent.filter((url) => url.includes('/api/'))).toEqual([]);
});

test('a wrong password, an unknown address and an unconfirmed account', async () => {
  const visitor = await browser.visitor();
  visitor.expectRefusals();
  const ada = newPerson();
  await signIn(visitor, ada);
  await visitor.page.getByText('The address or the password is not right.').first().waitFor();
  await signUp(visitor, ada);
  await signIn(visitor, { ...ada, password: 'not the password' });
  await visitor.page.getByText('The address or the password is not right.').first().waitFor();
  await signIn(visitor, ada);
  await visitor.page.waitForURL('**/check-inbox*');
  expect(await visitor.page.getByText(ada.email).count()).toBeGreaterThan(0);
  await visitor.open(linkIn(await nthMail(ada.email, 1), '/verify'));
  await onDashboard(visitor, ada);
});

test('a link that was used, one that was cut, and one without a token', async () => {
  const visitor = await browser.visitor();
  visitor.expectRefusals();
  const ada = newPerson();
  await arrive(visitor, ada);
  const link = linkIn(await nthMail(ada.email, 1), '/verify');
  await signOut(visitor, ada);
  await visitor.open(link);
  await visitor.page.getByRole('heading', { name: 'This link was already used' }).waitFor();
  await visitor.open(link.slice(0, -8));
  await visitor.page.getByRole('heading', { name: 'This link is not valid' }).waitFor();
  await visitor.open('/verify');
  await visitor.page.getByRole('heading', { name: 'This link is not valid' }).waitFor();
});

test('signing up with an address that has an account answers the same, and the account stays as it was', async () => {
  const first = await browser.visitor();
  const ada = newPerson();
  await arrive(first, ada);
  const second = await browser.visitor();
  await signUp(second, { ...ada, name: 'Someone Else', password: 'a different password' });
  await signIn(second, ada);
  await onDashboard(second, ada);
});

test('two clicks on one button make one account and one mail', async () => {
  const visitor = await browser.visitor();
  const ada = newPerson();
  await visitor.open('/sign-up');
  await visitor.page.getByLabel('Your name').fill(ada.name);
  await visitor.page.getByLabel('E-mail address').fill(ada.email);
  await visitor.page.getByLabel('Password', { exact: true }).fill(ada.password);
  const sent: string[] = [];
  visitor.page.on(
    'request',
    (request) => request.url().endsWith('/sign-up') && request.method() === 'POST' && sent.push(request.url()),
  );
  await visitor.page.getByRole('button', { name: 'Create account' }).dblclick();
  await visitor.page.getByRole('heading', { name: 'Check your inbox' }).waitFor();
  expect(sent).toHaveLength(1);
});
