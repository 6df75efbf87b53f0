import { expect, test } from 'vitest';
import { useBrowser } from './harness/browser.ts';
import { nthMail } from './harness/inbox.ts';
import { newPerson } from './harness/people.ts';

const browser = useBrowser();

test('sign-up with the keyboard alone, each stop visible', async () => {
  const { page, open } = await browser.visitor();
  const ada = newPerson();
  await open('/sign-up');
  const tabTo = async (name: string) => {
    for (let presses = 0; presses < 20; presses++) {
      await page.keyboard.press('Tab');
      const focused = page.locator(':focus');
      expect(await focused.evaluate(outlined), `focus is visible at ${await focused.textContent()}`).toBe(true);
      const label = await focused.evaluate(accessibleName);
      if (label === name) return;
    }
    throw new Error(`Tab never reaches ${name}.`);
  };
  await tabTo('Your name');
  await page.keyboard.type(ada.name);
  await tabTo('E-mail address');
  await page.keyboard.type(ada.email);
  await tabTo('Password');
  await page.keyboard.type(ada.password);
  await page.keyboard.press('Enter');
  const heading = page.getByRole('heading', { name: 'Check your inbox' });
  await heading.waitFor();
  await nthMail(ada.email, 1);
});

test('the first Tab offers to skip to the content', async () => {
  const { page, open } = await browser.visitor();
  await open('/');
  await page.keyboard.press('Tab');
  expect(await page.locator(':focus').textContent()).toBe('Skip to content');
});

interface BrowserElement {
  labels?: ArrayLike<{ textContent: string }>;
  textContent: string;
  getAttribute(name: string): string | null;
}

// These two run in the browser; this project's tests know no DOM types.
const accessibleName = (element: unknown) => {
  const { labels, textContent } = element as BrowserElement;
  return labels?.[0]?.textContent ?? (element as BrowserElement).getAttribute('aria-label') ?? textContent;
};

const outlined = (element: unknown) => {
  type Style = { outlineStyle: string; outlineWidth: string; boxShadow: string };
  const style = (globalThis as unknown as { getComputedStyle(of: unknown): Style }).getComputedStyle(element);
  return (style.outlineStyle !== 'none' && style.outlineWidth !== '0px') || style.boxShadow !== 'none';
};
