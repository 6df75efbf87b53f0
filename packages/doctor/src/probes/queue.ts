import type { Probe } from '../probe.ts';
import { redisTrouble } from './redis-trouble.ts';

export const queue: Probe = {
  name: 'queue answers',
  async look({ subject, queue }) {
    return redisTrouble(queue(), subject, subject.queueUrl ?? '', {
      kind: 'queue',
      service: 'redis-queue',
      setting: 'REDIS_QUEUE_URL',
      effect: 'Jobs wait in Postgres and are lost to nobody.',
    });
  },
};
