import type { ModuleDefinition } from '@ballast/kernel';

export const module = {
  name: 'accounts',
  description: 'People, their sessions and their personal organisations.',
  alwaysOn: true,
  routes: true,
  config: true,
  jobs: [
    'send-verification',
    'send-reset',
    'send-welcome',
    'send-email-change',
    'send-email-changed',
    'send-account-exists',
    'remove-expired-sessions',
    'remove-unconfirmed-accounts',
  ],
  schedules: ['remove-expired-sessions', 'remove-unconfirmed-accounts'],
  pages: [{ path: '/settings', file: 'settings', menu: { label: 'menu', icon: 'settings', order: 90 } }],
  messages: ['en'],
} as const satisfies ModuleDefinition;
