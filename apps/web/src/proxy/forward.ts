/** Between two hops, not between the ends (RFC 9110, 7.6.1), or set anew by whoever sends. */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'host',
  'expect',
  'content-length',
];

/** Headers that only this process may say something by. */
const OURS = ['x-nonce', 'x-ballast-path', 'content-security-policy', 'accept-encoding'];

/** Who calls, and by which id: said by what stands in front of this. A caller that names one in `Connection` must not take it away. */
const SAID_BY_PROXIES = ['x-forwarded-for', 'x-request-id'];

export function requestHeaders(incoming: Headers): Headers {
  const headers = withoutHops(incoming, SAID_BY_PROXIES);
  for (const name of [...headers.keys()]) {
    if (OURS.includes(name) || name.startsWith('x-middleware-') || name.startsWith('x-invoke-')) headers.delete(name);
  }
  // This process compresses for the browser; between the two it would be work done twice.
  headers.set('accept-encoding', 'identity');
  return headers;
}

export function responseHeaders(upstream: Headers): Headers {
  const headers = withoutHops(upstream);
  // Compression waits for enough to compress: an event that is sent now must arrive now.
  if (headers.get('content-type')?.startsWith('text/event-stream'))
    headers.set('cache-control', 'no-cache, no-transform');
  return headers;
}

function withoutHops(from: Headers, kept: readonly string[] = []): Headers {
  const named = (from.get('connection') ?? '').split(',').map((name) => name.trim().toLowerCase());
  const headers = new Headers(from);
  for (const name of [...HOP_BY_HOP, ...named]) if (name && !kept.includes(name)) headers.delete(name);
  return headers;
}

/** What the API's callers get when it does not answer: the same shape as its own problems. */
export function unreachableResponse(requestId: string): Response {
  const problem = {
    type: 'about:blank',
    title: 'Bad Gateway',
    status: 502,
    detail: 'The service cannot be reached right now. Try again in a moment.',
    code: 'service.unreachable',
    requestId,
  };
  return new Response(JSON.stringify(problem), {
    status: 502,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      'retry-after': '5',
      'x-request-id': requestId,
    },
  });
}

/** Passes one request on and streams the answer back, whatever its size, without holding either in memory. */
export async function forward(request: Request, origin: string): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  try {
    const init: RequestInit & { duplex: 'half' } = {
      method: request.method,
      headers: requestHeaders(request.headers),
      body: request.body,
      duplex: 'half',
      redirect: 'manual',
      cache: 'no-store',
      signal: request.signal,
    };
    const upstream = await fetch(origin + pathname + search, init);
    return new Response(upstream.body, { status: upstream.status, headers: responseHeaders(upstream.headers) });
  } catch (error) {
    const requestId = crypto.randomUUID();
    if (!request.signal.aborted) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
      console.error(
        JSON.stringify({ level: 'error', msg: 'The API did not answer.', requestId, path: pathname, cause }),
      );
    }
    return unreachableResponse(requestId);
  }
}
