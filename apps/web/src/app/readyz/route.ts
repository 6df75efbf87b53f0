import { isDraining } from '../../draining.ts';

export const dynamic = 'force-dynamic';

/** Shallow on purpose: with the API away, people are better served by our page that says so than by no page. */
export function GET(): Response {
  const draining = isDraining();
  return Response.json(
    { status: draining ? 'draining' : 'ready' },
    { status: draining ? 503 : 200, headers: { 'cache-control': 'no-store' } },
  );
}
