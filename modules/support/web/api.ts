import { browserApi } from '@ballast/ui/api/browser';
import type { hc, InferResponseType } from 'hono/client';
import type { Routes } from '../routes.ts';

export const support = browserApi<Routes>('/api/support');

type Client = ReturnType<typeof hc<Routes>>;
export type RequestPage = InferResponseType<Client['requests']['$get'], 200>;
export type SupportRequest = RequestPage['items'][number];
