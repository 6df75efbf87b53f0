import { randomUUID } from 'node:crypto';
import type { Visitor } from './browser.ts';
import { linkIn, nthMail } from './inbox.ts';

export interface Person {
  name: string;
  email: string;
  password: string;
}

export function newPerson(name = 'Ada Lovelace'): Person {
  return { name, email: `ada-${randomUUID().slice(0, 8)}@example.com`, password: 'correct horse battery' };
}

/** Fills in and sends the sign-up form, up to the page that says where the mail went. */
export async function signUp({ page, open }: Visitor, person: Person): Promise<void> {
  await open('/sign-up');
  await page.getByLabel('Your name').fill(person.name);
  await page.getByLabel('E-mail address').fill(person.email);
  await page.getByLabel('Password', { exact: true }).fill(person.password);
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.getByRole('heading', { name: 'Check your inbox' }).waitFor();
}

/** The whole way to a dashboard: sign up, mail, link. */
export async function arrive(visitor: Visitor, person: Person): Promise<void> {
  await signUp(visitor, person);
  await visitor.open(linkIn(await nthMail(person.email, 1), '/verify'));
  await onDashboard(visitor, person);
}

export async function onDashboard({ page }: Visitor, person: Person): Promise<void> {
  await page.waitForURL('**/dashboard');
  await page.getByRole('button', { name: person.email }).first().waitFor();
}

export async function signIn({ page, open }: Visitor, { email, password }: Person): Promise<void> {
  await open('/sign-in');
  await page.getByLabel('E-mail address').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

export async function signOut({ page }: Visitor, person: Person): Promise<void> {
  await page.getByRole('button', { name: person.email }).first().click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.getByText('You are signed out.').first().waitFor();
}
