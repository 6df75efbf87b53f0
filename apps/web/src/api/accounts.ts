import type { Routes } from '@ballast/modules/accounts/routes';
import { browserApi } from '@ballast/ui/api/browser';

export const accounts = browserApi<Routes>('/api/accounts');
