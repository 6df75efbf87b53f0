import type { ModuleDefinition } from '@ballast/kernel';

export const module = {
  name: 'domains',
  description: "Tenants' own domains: proved by a DNS record, served with a certificate of their own.",
  dependsOn: ['accounts'],
  permissions: ['domains:read', 'domains:write'],
  routes: true,
  internal: true,
  config: true,
  jobs: ['check-proofs'],
  schedules: ['check-proofs'],
  pages: [{ path: '/domains', file: 'domains', menu: { label: 'menu', icon: 'globe', order: 60 } }],
  messages: ['en'],
} as const satisfies ModuleDefinition;
