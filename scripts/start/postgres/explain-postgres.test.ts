import { expect, test } from 'vitest';
import { explainPostgres } from './explain-postgres.ts';

const place = { directory: '/x/.ballast/postgres', port: 5432, log: '/x/.ballast/log/postgres.log' };

test.each([
  ['FATAL:  could not write to file "pg_wal/xlogtemp": No space left on device', 'The disk that holds'],
  [
    'LOG:  could not bind IPv4 address "127.0.0.1": Address already in use',
    'Port 5432, wanted for Postgres, is in use',
  ],
  ['FATAL:  data directory "/x" has wrong ownership', 'belongs to another user'],
  ['HINT:  Is another postmaster (PID 123) running in data directory "/x"?', 'Another Postgres (process 123)'],
  [
    'PANIC:  could not read file "global/pg_control"',
    'move it away: mv /x/.ballast/postgres /x/.ballast/postgres.broken',
  ],
  ['', 'Postgres gave no reason'],
])('%s', (output, sentence) => {
  expect(explainPostgres(output, place)).toContain(sentence);
});
