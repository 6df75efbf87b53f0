/** What Postgres or the network said, as one sentence with what to do. Never the address: it holds a password. */
export function explainFailure(error: unknown, { url, origin }: { url: string; origin: string }): string {
  const { code = '', message = String(error) } = error as { code?: string; message?: string };
  const { host, pathname, username } = new URL(url);
  const database = pathname.slice(1);
  if (/^(ECONN|CONNECT|ENOTFOUND|EAI_|EHOST|ENET|ETIMEDOUT|CONNECTION)/.test(code)) {
    return `The database at ${host} does not answer (${code}). Start it, or correct ${origin}.`;
  }
  const sentence = sentences[code];
  if (sentence) return sentence({ host, database, username, origin });
  return `The database refused: ${message}${code ? ` (${code})` : ''}.`;
}

interface Place {
  host: string;
  database: string;
  username: string;
  origin: string;
}

const sentences: Record<string, (place: Place) => string> = {
  '28P01': ({ host, username, origin }) =>
    `Postgres at ${host} refuses the password of ${username}. Correct it in ${origin}.`,
  '28000': ({ host, username, origin }) => `Postgres at ${host} does not let ${username} in. Correct ${origin}.`,
  '3D000': ({ host, database, origin }) => `Postgres at ${host} has no database ${database}. Correct ${origin}.`,
  '42P01': notMigrated,
  '3F000': notMigrated,
  '42703': notMigrated,
  '42501': ({ username, origin }) =>
    `${username} may not read or change jobs. ${origin} must log in as ballast_dispatcher.`,
  '57P03': ({ host }) => `Postgres at ${host} is starting. Try again in a few seconds.`,
};

function notMigrated({ database, host }: Place): string {
  return `The tables in ${database} at ${host} are not those of this build. Run the migration: node apps/api/dist/migrate.js`;
}
