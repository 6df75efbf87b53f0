import { prepareDatabase } from '@ballast/db/prepare-database';
import { roles } from '@ballast/db/roles';
import { AppError } from '@ballast/kernel';
import { loadConfig } from './config.ts';

/** The roles and the database, from the logins of those who will use them: no password is kept twice. */
export async function prepareServer(adminUrl: string): Promise<void> {
  const { values } = loadConfig('preparation');
  const problems: string[] = [];
  const passwordOf = (role: string, name: keyof typeof values): string => {
    const url = values[name];
    if (url === undefined) {
      problems.push(`${name} is missing: DATABASE_ADMIN_URL is set, and the role ${role} gets its password from it.`);
      return '';
    }
    const { username, password } = new URL(String(url));
    if (username !== role) problems.push(`${name} must log in as ${role}.`);
    else if (password === '') problems.push(`${name} must have a password.`);
    return decodeURIComponent(password);
  };
  const passwords = {
    owner: passwordOf(roles.owner, 'DATABASE_OWNER_URL'),
    app: passwordOf(roles.app, 'DATABASE_URL'),
    dispatcher: passwordOf(roles.dispatcher, 'DATABASE_DISPATCHER_URL'),
    backup: passwordOf(roles.backup, 'DATABASE_BACKUP_URL'),
  };
  if (problems.length > 0) {
    throw new AppError('config.invalid', { public: problems.join('\n'), retryable: false });
  }
  const database = decodeURIComponent(new URL(values.DATABASE_OWNER_URL).pathname.slice(1));
  await prepareDatabase(adminUrl, { database, passwords, limitMs: values.REQUEST_TIMEOUT_MS }).catch(
    (error: { code?: string }) => {
      if (error.code !== '28P01') throw error;
      throw new AppError('database.admin_refused', {
        public:
          "Postgres refuses the superuser's password: DATABASE_ADMIN_URL does not belong to this server's data. " +
          'Secrets and data that were made together stay together: bring back the ones that are gone, or remove both.',
        retryable: false,
        cause: error,
      });
    },
  );
}
