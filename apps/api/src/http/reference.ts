import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import { type Env, endpoint } from '@ballast/http';
import { type Context, Hono } from 'hono';

/**
 * The reference page: Scalar reads the OpenAPI document in the browser. Its script
 * comes from this server, so that the page works offline and tells nobody else.
 */
export function reference(document: () => Promise<object>): Hono<Env> {
  let script: Promise<Buffer<ArrayBuffer>> | null = null;
  return new Hono<Env>()
    .get('/openapi.json', open('The OpenAPI document'), async (c) => c.json(await document()))
    .get('/reference', open('The reference page'), (c) => {
      c.header('Content-Security-Policy', policy);
      return c.html(page);
    })
    .get('/reference/scalar.js', open("The reference page's script"), async (c) => {
      script ??= compressedScript();
      const content = await script.catch((error: unknown) => {
        script = null;
        throw error;
      });
      return sendScript(c, content);
    });
}

const open = (summary: string) =>
  endpoint({ summary, tags: ['reference'], access: 'public', responses: { 200: { description: summary } } });

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <link rel="icon" href="data:,">
    <title>API reference</title>
  </head>
  <body>
    <noscript>The reference needs JavaScript. The document itself is at <a href="/api/openapi.json">/api/openapi.json</a>.</noscript>
    <script id="api-reference" data-url="/api/openapi.json"
      data-configuration='{"withDefaultFonts":false,"telemetry":false,"hideClientButton":true,"showDeveloperTools":"never","agent":{"disabled":true},"mcp":{"disabled":true}}'></script>
    <script src="/api/reference/scalar.js"></script>
  </body>
</html>
`;

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  // The page's styles are made by its script.
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "worker-src 'self' blob:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** In a build the script lies beside the code; from source it is the package's. */
function scriptPath(): string {
  if (basename(import.meta.dirname) === 'dist') return join(import.meta.dirname, 'assets/scalar.js');
  return join(createRequire(import.meta.url).resolve('@scalar/api-reference'), '../browser/standalone.js');
}

async function compressedScript(): Promise<Buffer<ArrayBuffer>> {
  return promisify(gzip)(await readFile(scriptPath()), { level: constants.Z_BEST_SPEED }) as Promise<
    Buffer<ArrayBuffer>
  >;
}

function sendScript(c: Context<Env>, content: Buffer<ArrayBuffer>) {
  c.header('Content-Type', 'text/javascript; charset=utf-8');
  c.header('Content-Encoding', 'gzip');
  c.header('Cache-Control', 'public, max-age=3600');
  return c.body(content);
}
