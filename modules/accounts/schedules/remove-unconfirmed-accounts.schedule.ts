import { defineSchedule } from '@ballast/kernel';
import { removeUnconfirmedAccounts } from '../jobs/remove-unconfirmed-accounts.job.ts';

export const nightly = defineSchedule({
  name: 'accounts.remove-unconfirmed-accounts',
  job: removeUnconfirmedAccounts,
  payload: {},
  cron: '45 3 * * *',
});
