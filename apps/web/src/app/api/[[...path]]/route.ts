import { apiOrigin } from '@ballast/ui/api/origin';
import { forward } from '../../../proxy/forward.ts';

export const dynamic = 'force-dynamic';

/**
 * The API on the pages' own origin, where nothing else in front of the two does that (Caddy does).
 * Not a rewrite: that would copy each body, cut it at 10 MB, tell browsers the inner address in
 * `x-middleware-rewrite`, and answer for an API that is away with a plain 500.
 */
function handle(request: Request): Promise<Response> {
  return forward(request, apiOrigin());
}

export {
  handle as DELETE,
  handle as GET,
  handle as HEAD,
  handle as OPTIONS,
  handle as PATCH,
  handle as POST,
  handle as PUT,
};
