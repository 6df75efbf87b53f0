import { defineSchedule } from '@ballast/kernel';
import { checkProofs } from '../jobs/check-proofs.job.ts';

export const daily = defineSchedule({
  name: 'domains.check-proofs',
  job: checkProofs,
  payload: {},
  cron: '40 4 * * *',
});
