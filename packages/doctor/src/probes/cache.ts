import type { Probe } from '../probe.ts';
import { redisTrouble } from './redis-trouble.ts';

export const cache: Probe = {
  name: 'cache answers',
  async look({ subject, cache }) {
    return redisTrouble(cache(), subject, subject.cacheUrl ?? '', {
      kind: 'cache',
      service: 'redis-cache',
      setting: 'REDIS_URL',
      effect: 'Rate limits are counted by each process alone.',
    });
  },
};
