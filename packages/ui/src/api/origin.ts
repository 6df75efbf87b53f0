/** Where the API listens, seen from this process. Read at run time, so that one image fits every install. */
export function apiOrigin(): string {
  return (process.env.API_INTERNAL_URL || 'http://127.0.0.1:3001').replace(/\/+$/, '');
}
