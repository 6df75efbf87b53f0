import { getMessages } from 'next-intl/server';

/** What every page's browser code may say: field rules, problems, the error page. */
const EVERYWHERE = ['ui', 'service', 'internal', 'request', 'access', 'errors', 'theme'];

/**
 * The part of the catalogue that goes to the browser, by dotted names: what only the server says stays
 * there. A module's problems always go along, since any form may meet them.
 */
export async function clientMessages(...names: string[]): Promise<Record<string, unknown>> {
  const all: Record<string, unknown> = { ...(await getMessages()) };
  const picked: Record<string, unknown> = {};
  for (const name of [...EVERYWHERE, ...names]) copyPath(all, picked, name.split('.'));
  return picked;
}

function copyPath(from: Record<string, unknown>, to: Record<string, unknown>, [first, ...rest]: string[]): void {
  if (first === undefined || from[first] === undefined) return;
  if (rest.length === 0) {
    to[first] = from[first];
    return;
  }
  to[first] = { ...(to[first] as object | undefined) };
  copyPath(from[first] as Record<string, unknown>, to[first] as Record<string, unknown>, rest);
}
