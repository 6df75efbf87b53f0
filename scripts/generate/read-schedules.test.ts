import { afterEach, beforeEach, describe, test } from 'vitest';
import { app, moduleFile, openProduct, type Product, scheduleFile, teams } from './testing/open-product.ts';
import { billingWith, type Case, jobFile, refused } from './testing/refused.ts';

let product: Product;
beforeEach(async () => {
  product = await openProduct();
});
afterEach(() => product.remove());

describe('what a schedule may be', () => {
  test.each<Case>([
    [
      'no schedule in a schedule file',
      remind("export const x = { cron: '* * * * *' };"),
      'modules/billing/schedules/remind.schedule.ts must export one schedule, made by defineSchedule.',
    ],
    [
      'a schedule of another module',
      remind(scheduleFile("name: 'teams.remind'")),
      "remind.schedule.ts: the schedule 'teams.remind' must be named 'billing.…'.",
    ],
    [
      'an unknown time zone',
      remind(scheduleFile("zone: 'Europe/Berln'")),
      "modules/billing/schedules/remind.schedule.ts: its time zone 'Europe/Berln' is unknown, did you mean 'Europe/Berlin'?",
    ],
    [
      'a cron expression that nobody can read',
      remind(scheduleFile("cron: '0 25 * * *'")),
      "modules/billing/schedules/remind.schedule.ts: its cron expression '0 25 * * *' cannot be read: ",
    ],
    [
      'a payload that its job refuses',
      remind(scheduleFile('payload: {}')),
      "modules/billing/schedules/remind.schedule.ts: its payload does not fit the job 'billing.send-invoice': id: ",
    ],
    [
      'a schedule of a job that no module lists',
      remind(jobFile('billing.dun') + scheduleFile('job: again, payload: {}')),
      "remind.schedule.ts: its job 'billing.dun' is no job of an active module",
    ],
  ])('not %s', async (_what, files, sentence) => {
    await product.write(files);
    await refused(product, sentence);
  });

  test('not the same schedule twice', async () => {
    await product.write({
      ...billingWith("['remind']", "['remind', 'remind-again']"),
      'modules/billing/schedules/remind-again.schedule.ts': scheduleFile(),
    });
    await refused(
      product,
      "remind-again.schedule.ts: the schedule 'billing.remind' is in modules/billing/schedules/remind.schedule.ts already.",
    );
  });

  test('not a schedule whose job is of a module that is off', async () => {
    await product.write({
      'app.config.ts': app('teams: true,\n    billing: false,'),
      'modules/teams/module.ts': moduleFile(teams.replace('routes:', "schedules: ['remind'], routes:")),
      'modules/teams/schedules/remind.schedule.ts': scheduleFile("name: 'teams.remind'").replace(
        '../jobs',
        '../../billing/jobs',
      ),
    });
    await refused(
      product,
      "modules/teams/schedules/remind.schedule.ts: its job 'billing.send-invoice' is no job of an active module",
    );
  });
});

function remind(text: string): Record<string, string> {
  return { 'modules/billing/schedules/remind.schedule.ts': text };
}
