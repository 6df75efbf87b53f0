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
  messages: ['en'],
} as const satisfies ModuleDefinition;
