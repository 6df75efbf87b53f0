import { mkdirSync } from 'node:fs';
import { test } from 'vitest';
import { useBrowser } from '../journeys/harness/browser.ts';
import { arrive, newPerson } from '../journeys/harness/people.ts';

const browser = useBrowser();
const size = { viewport: { width: 1280, height: 800 }, deviceScaleFactor: 2, reducedMotion: 'reduce' } as const;

test('docs/images', async () => {
  mkdirSync('docs/images', { recursive: true });
  const visitor = await browser.visitor({ ...size, colorScheme: 'light' });
  await visitor.open('/');
  await visitor.page.screenshot({ path: 'docs/images/landing.png' });
  await arrive(visitor, { ...newPerson(), email: 'ada@example.com' });
  await visitor.open('/dashboard');
  await visitor.page.screenshot({ path: 'docs/images/dashboard.png' });
  await visitor.page.emulateMedia({ colorScheme: 'dark' });
  await visitor.page.screenshot({ path: 'docs/images/dashboard-dark.png' });
});
