import { expect, it } from 'vitest';
import { apiReplicas } from './api-replicas.ts';

it('finds every address that the name has, and none where nothing is called so', async () => {
  expect(await apiReplicas('localhost', 3001)).toContain('http://127.0.0.1:3001');
  expect(await apiReplicas('127.0.0.7', 3001)).toEqual(['http://127.0.0.7:3001']);
  expect(await apiReplicas('::1', 3001)).toEqual(['http://[::1]:3001']);
  expect(await apiReplicas('nothing.invalid', 3001)).toEqual([]);
});
