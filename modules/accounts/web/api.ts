import { browserApi } from '@ballast/ui/api/browser';
import type { Routes } from '../routes.ts';

export const accounts = browserApi<Routes>('/api/accounts');
