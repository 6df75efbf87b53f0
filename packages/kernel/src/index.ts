/**
 * The kernel: the words that every package and module shares. No I/O, no state.
 *
 * @example
 * const welcome = defineJob({
 *   name: 'accounts.send-welcome',
 *   payload: z.strictObject({ userId: z.uuid() }),
 *   attempts: 5,
 * });
 * welcome.queue; // 'default'
 */
export { AppError, type AppErrorOptions, defineErrors, type FieldProblem } from './app-error.ts';
export { closestName } from './closest-name.ts';
export { type ConfigValues, defineConfig, type ModuleConfig, type Setting } from './define-config.ts';
export {
  type ActionContext,
  type BatchContext,
  type BatchHandler,
  type BatchItem,
  type BatchOutcomes,
  cancel,
  defineBatchHandler,
  defineHandler,
  type JobContext,
  type JobHandler,
  type Log,
  type Outcome,
  snooze,
} from './define-handler.ts';
export { type Backoff, backoffMs, defineJob, type JobDefinition } from './define-job.ts';
export {
  type AppDefinition,
  defineApp,
  defineModule,
  type ModuleDefinition,
  type ModulePage,
  type ModuleSwitch,
} from './define-module.ts';
export { type CatchUp, defineSchedule, type ScheduleDefinition } from './define-schedule.ts';
export { type MenuIcon, menuIcons } from './menu-icons.ts';
export { secret, secretShown } from './secret-field.ts';
