import { expect, test } from 'vitest';
import { concernsGenerator } from './watch-modules.ts';

test.each([
  ['support/module.ts', true],
  ['support/routes.ts', true],
  ['app.config.ts', true],
  ['support/jobs/send.handler.ts', true],
  ['support/schedules/remind.schedule.ts', true],
  ['support/web/support.page.tsx', true],
  ['support/migrations/0002_more.sql', true],
  ['support/messages/en.json', true],
  ['support/actions/create-request.ts', false],
  ['support/routes.test.ts', false],
  ['node_modules/zod/module.ts', false],
])('%s: %s', (name, concerns) => {
  expect(concernsGenerator(name)).toBe(concerns);
});
