import type { Probe } from './probe.ts';
import { backlog } from './probes/backlog.ts';
import { backups } from './probes/backups.ts';
import { cache } from './probes/cache.ts';
import { certificate } from './probes/certificate.ts';
import { clock } from './probes/clock.ts';
import { configuration } from './probes/configuration.ts';
import { connections } from './probes/connections.ts';
import { consumers } from './probes/consumers.ts';
import { database } from './probes/database.ts';
import { disk } from './probes/disk.ts';
import { durability } from './probes/durability.ts';
import { epoch } from './probes/epoch.ts';
import { jobKinds } from './probes/job-kinds.ts';
import { mail } from './probes/mail.ts';
import { metrics } from './probes/metrics.ts';
import { migrations } from './probes/migrations.ts';
import { pooler } from './probes/pooler.ts';
import { queue } from './probes/queue.ts';
import { setbacks } from './probes/setbacks.ts';
import { snapshot } from './probes/snapshot.ts';
import { stores } from './probes/stores.ts';
import { tenantCertificates } from './probes/tenant-certificates.ts';
import { versions } from './probes/versions.ts';
import { workers } from './probes/workers.ts';

/** In the order in which causes come before their effects. */
export const probes: readonly Probe[] = [
  configuration,
  database,
  pooler,
  durability,
  migrations,
  connections,
  disk,
  queue,
  stores,
  epoch,
  cache,
  workers,
  consumers,
  jobKinds,
  snapshot,
  backlog,
  setbacks,
  mail,
  versions,
  metrics,
  clock,
  certificate,
  tenantCertificates,
  backups,
];
