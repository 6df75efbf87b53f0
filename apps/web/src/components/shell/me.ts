import type { Routes } from '@ballast/modules/accounts/routes';
import type { hc, InferResponseType } from 'hono/client';

type Client = ReturnType<typeof hc<Routes>>;

/** Who is signed in, and for which organisation. */
export type Me = InferResponseType<Client['me']['$get'], 200>;
