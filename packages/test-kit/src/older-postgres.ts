import { onServer, type TestDatabase } from './database.ts';

/**
 * From now on the server says of itself, in this database, that it is Postgres 17.5: a function of ours stands
 * before its own. Whoever asks it for its version meets a real server all the same.
 *
 * @returns what ends it.
 */
export async function lookOlder(database: TestDatabase): Promise<() => Promise<void>> {
  await onServer(database.adminUrl, async (admin) => {
    await admin.unsafe(`
      create schema older;
      grant usage on schema older to public;
      create function older.current_setting(name text) returns text language sql stable as $$
        select case name when 'server_version_num' then '170005' else pg_catalog.current_setting(name) end
      $$;
      alter database ${database.name} set search_path = older, pg_catalog, public`);
  });
  return () =>
    onServer(database.adminUrl, async (admin) => {
      await admin.unsafe(`alter database ${database.name} reset search_path; drop schema older cascade`);
    });
}
