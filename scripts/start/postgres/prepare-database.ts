import { prepareDatabase as prepare } from '@ballast/db/prepare-database';
import { roles } from '@ballast/db/roles';
import { secretFile } from '../secrets.ts';
import { StartProblem } from '../start-problem.ts';

export interface DatabaseUrls {
  app: string;
  dispatcher: string;
  owner: string;
}

const database = 'ballast';

/** Roles with passwords of this installation's own, and the database that the owner role owns. */
export async function prepareDatabase(adminUrl: string, data: string): Promise<DatabaseUrls> {
  const passwords = {
    owner: secretFile(data, 'database_owner').value,
    app: secretFile(data, 'database_app').value,
    dispatcher: secretFile(data, 'database_dispatcher').value,
    backup: secretFile(data, 'database_backup').value,
  };
  try {
    await prepare(adminUrl, { database, passwords });
  } catch (error) {
    if ((error as { code?: string }).code !== '28P01') throw error;
    throw new StartProblem(
      `Postgres refuses the superuser's password in ${data}/secrets/postgres_superuser: the file does not belong to this data. ` +
        `Restore the secrets folder, or move the data away to begin afresh: mv ${data}/postgres ${data}/postgres.old`,
    );
  }
  const as = (role: string, password: string) => {
    const url = new URL(adminUrl);
    url.pathname = `/${database}`;
    url.username = role;
    url.password = password;
    return url.href;
  };
  return {
    app: as(roles.app, passwords.app),
    dispatcher: as(roles.dispatcher, passwords.dispatcher),
    owner: as(roles.owner, passwords.owner),
  };
}
