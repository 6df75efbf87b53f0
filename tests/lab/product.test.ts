import { expect, inject, test } from 'vitest';
import { useBrowser } from '../journeys/harness/browser.ts';
import { linkIn, nthMail } from '../journeys/harness/inbox.ts';
import { newPerson, onDashboard, signUp } from '../journeys/harness/people.ts';
import { query } from './harness/stack.ts';

const browser = useBrowser();

test('one command gives a product: sign up in a browser, mail in the inbox, link, dashboard', async () => {
  const visitor = await browser.visitor();
  const ada = newPerson();
  await signUp(visitor, ada);
  await visitor.open(linkIn(await nthMail(ada.email, 1), '/verify'));
  await onDashboard(visitor, ada);
});

test('the web passes /api on, and the jobs ran in the worker', async () => {
  const { status } = await fetch(`${inject('webUrl')}/api/openapi.json`);
  expect(status).toBe(200);
  const states = await query(inject('stack'), 'select distinct state from jobs.status');
  expect(states).toContain('done');
  expect(states).not.toContain('dead');
});
