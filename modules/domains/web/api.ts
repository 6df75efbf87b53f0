import { browserApi } from '@ballast/ui/api/browser';
import type { hc, InferResponseType } from 'hono/client';
import type { Routes } from '../routes.ts';

export const domains = browserApi<Routes>('/api/domains');

type Client = ReturnType<typeof hc<Routes>>;
export type DomainList = InferResponseType<Client['index']['$get'], 200>;
export type Domain = DomainList['items'][number];
