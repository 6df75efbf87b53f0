import type { Tx } from '@ballast/db';
import type { Services } from '@ballast/http';
import { defineHandler } from '@ballast/kernel';
import { removeAccounts } from '../actions/remove-unconfirmed-accounts.ts';
import { authOf } from '../auth/account-action.ts';
import { removeUnconfirmedAccounts } from './remove-unconfirmed-accounts.job.ts';

export const handler = defineHandler<{ afterId?: string | undefined }, Tx, Services>(
  removeUnconfirmedAccounts,
  async ({ payload, ctx, services }) => {
    const { keepUnconfirmedDays } = authOf({ services }).options;
    await removeAccounts({ ctx, input: { ...payload, keepUnconfirmedDays } });
  },
);
