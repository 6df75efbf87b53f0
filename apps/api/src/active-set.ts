import { type AppDefinition, AppError } from '@ballast/kernel';
import { activeSetHash } from '@ballast/kernel/active-set';

export interface Snapshot {
  activeSet: string;
  modules: readonly string[];
}

/** Stops a process whose generated routes and jobs are of another set of modules than `app.config.ts` asks for. */
export function refuseStaleSnapshot(app: AppDefinition, snapshot: Snapshot): void {
  if (activeSetHash(app) === snapshot.activeSet) return;
  const on = Object.keys(app.modules).filter((name) => app.modules[name] !== false);
  throw new AppError('modules.snapshot_stale', {
    public:
      `app.config.ts switches on ${on.sort().join(', ')}, but the generated code was written for ${[...snapshot.modules].sort().join(', ')}` +
      ' or for other options. Run `npm run generate:active-modules` before the build.',
    retryable: false,
  });
}
