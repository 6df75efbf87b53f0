import { defineJob } from '@ballast/kernel';
import { z } from 'zod';

export const sendWelcome = defineJob({
  name: 'accounts.send-welcome',
  payload: z.strictObject({ userId: z.uuid() }),
});
