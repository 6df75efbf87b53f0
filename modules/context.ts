import type { Tx } from '@ballast/db';
import type { RequestContext, Services } from '@ballast/http';
import * as kernel from '@ballast/kernel';

/** What an action is given, by a route and by a job alike. */
export interface Action<Input, Context = kernel.ActionContext<Tx>> {
  ctx: Context;
  input: Input;
}

/** An action that only a request can do: it reads who asks, or from where. */
export type RequestAction<Input> = Action<Input, RequestContext>;

/** The kernel's, for modules: the payload is typed by the job's schema, `ctx` and `services` are what this product's processes hand over. */
export function defineHandler<Payload>(
  job: kernel.JobDefinition<Payload>,
  run: kernel.JobHandler<NoInfer<Payload>, Tx, Services>['run'],
): kernel.JobHandler<Payload, Tx, Services> {
  return kernel.defineHandler(job, run);
}

/**
 * The same for a job that says `batch`.
 * @public
 */
export function defineBatchHandler<Payload>(
  job: kernel.JobDefinition<Payload>,
  runBatch: kernel.BatchHandler<NoInfer<Payload>, Tx, Services>['runBatch'],
): kernel.BatchHandler<Payload, Tx, Services> {
  return kernel.defineBatchHandler(job, runBatch);
}
