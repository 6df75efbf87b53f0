import type { Tx } from '@ballast/db';
import type { RequestContext } from '@ballast/http';
import type { ActionContext } from '@ballast/kernel';

/** What an action is given, by a route and by a job alike. */
export interface Action<Input, Context = ActionContext<Tx>> {
  ctx: Context;
  input: Input;
}

/** An action that only a request can do: it reads who asks, or from where. */
export type RequestAction<Input> = Action<Input, RequestContext>;
