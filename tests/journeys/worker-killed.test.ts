import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, test } from 'vitest';
import { useBrowser } from './harness/browser.ts';
import { control } from './harness/control.ts';
import { linkIn, mailsTo, nthMail } from './harness/inbox.ts';
import { newPerson, onDashboard, signUp } from './harness/people.ts';

const browser = useBrowser();

test(`a worker killed between commit and send: the mail arrives once, after another starts on ${inject('queue')}`, async () => {
  const visitor = await browser.visitor();
  const ada = newPerson();
  await control('shut-gate');
  await signUp(visitor, ada);
  // The worker has the job and is connected to a mail server that does not speak.
  await expect.poll(() => control('count-waiting'), { timeout: 60_000 }).toBeGreaterThan(0);
  await control('kill-worker');
  await control('open-gate');
  expect(await mailsTo(ada.email)).toEqual([]);

  await control('start-worker');
  const mail = await nthMail(ada.email, 1, 90_000);
  await visitor.open(linkIn(mail, '/verify'));
  await onDashboard(visitor, ada);
  // Longer than a stalled job takes to be noticed: a second mail would have come by then.
  await sleep(20_000);
  const links = (await mailsTo(ada.email)).filter((each) => each.text.includes('/verify?token='));
  expect(links).toHaveLength(1);
});

test(`without any worker the account waits, and its mail comes with the worker on ${inject('queue')}`, async () => {
  const visitor = await browser.visitor();
  const ada = newPerson();
  await control('kill-worker');
  try {
    await signUp(visitor, ada);
    expect(await mailsTo(ada.email)).toEqual([]);
  } finally {
    await control('start-worker');
  }
  await nthMail(ada.email, 1);
});
