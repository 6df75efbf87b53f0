/** `fault`: something does not work, or work is at risk. `warning`: it will, or somebody has to decide. */
export type Severity = 'fault' | 'warning';

export interface Finding {
  code: Code;
  severity: Severity;
  /** What somebody saw, in the failure matrix's words. */
  symptom: string;
  /** A sentence. */
  cause: string;
  /** What was seen, a line each; never a secret. */
  evidence: string[];
  /** A command, or a sentence of what to do. */
  fix: string;
}

const boot = 'a process does not start';
const mail = 'emails never arrive, jobs pile up';
const health = 'API 503 on /health';
const redis = 'Redis errors, flaky rate limits';
const lost = 'jobs silently disappear';
const twice = 'duplicate execution';
const metrics = '/metrics empty';
const busy = 'API 503 database.busy';
const page = 'browsers warn of the page';
const tenantPage = "browsers refuse a tenant's domain";
const backup = 'backups too old or never restored';
const snapshot = 'stale active-modules snapshot in an image';

/** Every finding there is, and the symptom under which the failure matrix lists it. */
export const matrix = {
  'config.invalid': row('fault', boot),
  'config.mistyped': row('warning', boot),
  'config.not_here': row('warning', boot),
  'database.unreachable': row('fault', health),
  'database.refused': row('fault', health),
  'database.missing': row('fault', health),
  'database.full': row('fault', health),
  'database.too_old': row('fault', boot),
  'database.read_only': row('fault', health),
  'database.wrong_role': row('fault', 'tenants see rows of others'),
  'database.not_durable': row('fault', lost),
  'pooler.unreachable': row('fault', health),
  'pooler.unsafe': row('fault', boot),
  'pooler.busy': row('fault', busy),
  'migrations.missing': row('fault', health),
  'migrations.ahead': row('fault', health),
  'queue.unreachable': row('fault', mail),
  'queue.refused': row('fault', mail),
  'queue.loading': row('warning', mail),
  'queue.full': row('fault', mail),
  'queue.unwritable': row('fault', mail),
  'queue.evicts': row('fault', lost),
  'queue.no_aof': row('warning', lost),
  'queue.wiped': row('warning', lost),
  'queue.not_the_workers': row('fault', mail),
  'queue.two_stacks': row('fault', twice),
  'queue.workers_disagree': row('fault', mail),
  'stores.exchanged': row('fault', lost),
  'stores.one_evicting': row('fault', lost),
  'stores.one': row('warning', lost),
  'cache.unreachable': row('fault', redis),
  'cache.refused': row('fault', redis),
  'cache.loading': row('warning', redis),
  'cache.full': row('fault', redis),
  'cache.unwritable': row('fault', redis),
  'workers.none': row('fault', mail),
  'workers.silent': row('warning', mail),
  'workers.queue_unserved': row('fault', mail),
  'workers.know_less': row('fault', snapshot),
  'consumers.both': row('warning', twice),
  'jobs.stuck': row('fault', mail),
  'jobs.behind': row('warning', mail),
  'jobs.paused': row('warning', mail),
  'jobs.unopened': row('fault', mail),
  'jobs.failing': row('warning', mail),
  'jobs.dead': row('warning', mail),
  'jobs.parked': row('warning', mail),
  'jobs.held': row('warning', mail),
  'modules.snapshot_stale': row('fault', snapshot),
  'versions.differ': row('warning', 'versions differ between replicas'),
  'mail.refused': row('fault', mail),
  'metrics.off': row('warning', metrics),
  'metrics.unreachable': row('fault', metrics),
  'metrics.empty': row('fault', metrics),
  'metrics.not_ballast': row('fault', metrics),
  'database.connections_low': row('warning', health),
  'database.pool_exhausted': row('fault', busy),
  'database.disk_full': row('fault', 'writes are answered with 503'),
  'disk.filling': row('warning', 'writes are answered with 503'),
  'clock.skew': row('warning', 'sessions and links end too early or too late'),
  'certificate.expiring': row('warning', page),
  'certificate.expired': row('fault', page),
  'certificate.other_name': row('fault', page),
  'tenant_certificate.refused': row('fault', tenantPage),
  'tenant_certificate.expiring': row('warning', tenantPage),
  'backups.none': row('warning', backup),
  'backups.silent': row('fault', backup),
  'backups.failing': row('fault', backup),
  'backups.old': row('warning', backup),
  'backups.behind': row('fault', backup),
  'restore.never_proven': row('warning', backup),
  'restore.failed': row('fault', backup),
  'restore.old': row('warning', backup),
} as const satisfies Record<string, { severity: Severity; symptom: string }>;

export type Code = keyof typeof matrix;

/** A finding of the matrix, with what was seen this time. */
export function finding(code: Code, seen: Pick<Finding, 'cause' | 'evidence' | 'fix'>): Finding {
  return { code, ...matrix[code], ...seen };
}

function row<S extends Severity>(severity: S, symptom: string) {
  return { severity, symptom };
}
