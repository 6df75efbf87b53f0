import type { ModuleDefinition } from '@ballast/kernel';

export const module = {
  name: 'support',
  description: 'People ask for help in the app; the team answers from its mailbox.',
  dependsOn: ['accounts'],
  permissions: ['support:read', 'support:write'],
  routes: true,
  config: true,
  jobs: ['send-request'],
  pages: [{ path: '/support', file: 'support', menu: { label: 'menu', icon: 'life-buoy', order: 50 } }],
  messages: ['en'],
} as const satisfies ModuleDefinition;
