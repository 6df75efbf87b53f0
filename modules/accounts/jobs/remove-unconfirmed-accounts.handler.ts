import { defineHandler } from '../../context.ts';
import { removeAccounts } from '../actions/remove-unconfirmed-accounts.ts';
import { authOf } from '../auth/account-action.ts';
import { removeUnconfirmedAccounts } from './remove-unconfirmed-accounts.job.ts';

export const handler = defineHandler(removeUnconfirmedAccounts, async ({ payload, ctx, services }) => {
  const { keepUnconfirmedDays } = authOf({ services }).options;
  await removeAccounts({ ctx, input: { ...payload, keepUnconfirmedDays } });
});
