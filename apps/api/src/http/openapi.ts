import { type Env, problemContent } from '@ballast/http';
import type { Hono } from 'hono';
import { generateSpecs } from 'hono-openapi';

export interface OpenApiOptions {
  publicUrl: string;
  release: string;
  modules: readonly string[];
}

/** The OpenAPI 3.1 document, from the routes as they are mounted and the schemas that check their input. */
export async function openApiDocument(app: Hono<Env>, options: OpenApiOptions): Promise<object> {
  const document = await generateSpecs(app, {
    documentation: {
      info: {
        title: 'Ballast API',
        version: options.release,
        description:
          'JSON over HTTPS. Browsers use the session cookie of the same origin. ' +
          'Every error is a problem document (RFC 9457) with a stable `code`.',
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: options.publicUrl }],
      security: [{ session: [] }],
      tags: options.modules.map((name) => ({ name, description: `What the ${name} module offers.` })),
      components: {
        securitySchemes: {
          session: {
            type: 'apiKey',
            in: 'cookie',
            name: `${options.publicUrl.startsWith('https://') ? '__Secure-' : ''}ballast.session_token`,
            description: 'Set by signing in.',
          },
        },
        responses: {
          SignInFirst: { description: 'There is no session, or it has ended.', content: problemContent },
          NotAllowed: { description: 'The role, or the organisation, does not allow this.', content: problemContent },
          TooMany: {
            description: 'Too many attempts; `Retry-After` says how long to wait.',
            headers: {
              'Retry-After': { description: 'Seconds.', schema: { type: 'integer' } },
              'RateLimit-Policy': {
                description: 'The rules that are counted: quota `q` in a window of `w` seconds. Also on other answers.',
                schema: { type: 'string', example: '"accounts.sign-in.address";q=60;w=300' },
              },
              RateLimit: {
                description: 'What is left of each, `r`, and the seconds until it begins anew, `t`.',
                schema: { type: 'string', example: '"accounts.sign-in.address";r=59;t=300' },
              },
            },
            content: problemContent,
          },
          Refused: { description: 'The request is wrong: `code` and `detail` say how.', content: problemContent },
          Failed: { description: 'A fault on our side; `requestId` finds it in the log.', content: problemContent },
        },
      },
    },
    defaultValidationErrorResponse: { $ref: '#/components/responses/Refused' } as never,
  });
  return withoutPatterns(withTags(document));
}

/** A route belongs to the module that it is mounted under, unless it says otherwise. */
function withTags<Document extends { paths: object }>(document: Document): Document {
  for (const [path, operations] of Object.entries(document.paths)) {
    const module = /^\/api\/([^/]+)/.exec(path)?.[1];
    for (const operation of Object.values(operations as Record<string, { tags?: string[]; operationId?: string }>)) {
      operation.tags ??= module ? [module] : [];
      // `postSupportRequests`, not `postApiSupportRequests`: clients make method names of it.
      const id = operation.operationId?.replace(/^([a-z]+)Api(?=[A-Z])/, '$1');
      if (id !== undefined) operation.operationId = id;
    }
  }
  return document;
}

/** Zod adds the regular expression behind `format: email`; a reader of the document has the format. */
function withoutPatterns<Value>(value: Value): Value {
  if (Array.isArray(value)) return value.map(withoutPatterns) as Value;
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([name]) => name !== 'pattern' || !('format' in value));
  return Object.fromEntries(entries.map(([name, inner]) => [name, withoutPatterns(inner)])) as Value;
}
