import { browserApi } from '@ballast/ui/api/browser';
import type { hc, InferResponseType } from 'hono/client';
import type { Routes } from '../routes.ts';

export const accounts = browserApi<Routes>('/api/accounts');

type Client = ReturnType<typeof hc<Routes>>;
export type Session = InferResponseType<Client['sessions']['$get'], 200>['sessions'][number];
