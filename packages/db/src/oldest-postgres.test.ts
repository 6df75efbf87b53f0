import { createTestDatabase, onServer, type TestDatabase } from '@ballast/test-kit/database';
import { lookOlder } from '@ballast/test-kit/older-postgres';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { migrate } from './migrate.ts';
import { isTooOld, versionName } from './oldest-postgres.ts';
import { prepareDatabase } from './prepare-database.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase({ empty: true });
});
afterEach(() => database.drop());

const refusal = {
  code: 'database.too_old',
  public: expect.stringMatching(/^Postgres 17\.5 answers at 127\.0\.0\.1:\d+; Ballast needs 18 or newer\./),
};
const create = { module: 'shop', name: '0001_item', checksum: '', text: 'create table item (id int);' };

it('a server that is too old is refused by name before a migration changes anything', async () => {
  await lookOlder(database);
  await expect(migrate(database.ownerUrl, [create])).rejects.toMatchObject(refusal);
  const found = await onServer(
    database.adminUrl,
    (admin) => admin`select to_regnamespace('ballast') as schema, to_regclass('item') as item`,
  );
  expect(found).toEqual([{ schema: null, item: null }]);
});

it('a server that is too old is refused before roles and a database are made', async () => {
  await lookOlder(database);
  const passwords = { owner: 'x', app: 'x', dispatcher: 'x', backup: 'x' };
  const wanted = `${database.name}_wanted`;
  await expect(prepareDatabase(database.adminUrl, { database: wanted, passwords })).rejects.toMatchObject(refusal);
  const made = await onServer(database.adminUrl, (admin) => admin`select 1 from pg_database where datname = ${wanted}`);
  expect(made).toEqual([]);
});

it('the server that the tests run on is new enough, and one release before it is not', async () => {
  const [real] = await onServer(
    database.adminUrl,
    (admin) => admin<{ number: string }[]>`select current_setting('server_version_num') as number`,
  );
  expect(isTooOld(Number(real?.number))).toBe(false);
  expect([179_999, 180_000].map(isTooOld)).toEqual([true, false]);
  expect([180_004, 170_005, 90_624].map(versionName)).toEqual(['18.4', '17.5', '9.6']);
});
