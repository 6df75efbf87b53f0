/**
 * What Postgres or the network said, as one sentence with what to do. Never the address: it holds a password.
 * Null for what neither of them said.
 */
export function explainFailure(error: unknown, { url, origin }: { url: string; origin: string }): string | null {
  const said = saidBelow(error);
  if (said === null) return null;
  const { code, message } = said;
  const { host, pathname, username } = new URL(url);
  const database = pathname.slice(1);
  if (unanswered.test(code)) {
    return `The database at ${host} does not answer (${code}). Start it, or correct ${origin}.`;
  }
  const sentence = sentences[code];
  if (sentence) return sentence({ host, database, username, origin });
  return `The database refused: ${message} (${code}).`;
}

const unanswered = /^(ECONN|CONNECT|ENOTFOUND|EAI_|EHOST|ENET|EPIPE|ETIMEDOUT)/;
/** SQLSTATE always has a digit; the others are of the login and of TLS. */
const refused = /^(?=.*\d)[0-9A-Z]{5}$|CERT|^(ERR_SSL_|ERR_TLS_|MESSAGE_NOT_SUPPORTED|SASL_|UNABLE_TO_)/;

/** Looks through the causes: Drizzle wraps what postgres.js throws. */
function saidBelow(error: unknown): { code: string; message: string } | null {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    const { code, message } = cause as { code?: unknown; message: string };
    if (typeof code === 'string' && (unanswered.test(code) || refused.test(code))) return { code, message };
  }
  return null;
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
