import type { Env } from '@ballast/http';
import { AppError } from '@ballast/kernel';
import type { MiddlewareHandler } from 'hono';
import { guardedText, invalidJson } from './json-guard.ts';

const json = /^application\/(?:[\w.-]+\+)?json$/i;

/**
 * Reads a request's body once, bounded, before anything parses it: too large is
 * 413, anything but JSON is 415, text that is no UTF-8 or no JSON is 400.
 */
export function bodyGuard(limitBytes: number): MiddlewareHandler<Env> {
  return async (c, next) => {
    // Before the body is looked at: the adapter makes a stream and all that belongs to it for whoever does.
    if (c.req.method === 'GET' || c.req.method === 'HEAD') return next();
    const { body, headers } = c.req.raw;
    const length = headers.get('content-length');
    if (length !== null && Number(length) > limitBytes) throw tooLarge(limitBytes);
    const empty =
      length === '0' || (length === null && !headers.has('transfer-encoding') && !headers.has('content-type'));
    if (empty || !body) return next();
    refuseOtherTypes(headers);
    const text = guardedText(await readBounded(body, limitBytes));
    refuseInvalid(text);
    // Hono reads the body from here from now on: the stream itself is spent.
    Object.assign(c.req.bodyCache, { text: Promise.resolve(text) });
    return next();
  };
}

function refuseOtherTypes(headers: Headers): void {
  const type = (headers.get('content-type') ?? '').split(';')[0]?.trim() ?? '';
  const charset = /charset\s*=\s*"?([^;"\s]+)/i.exec(headers.get('content-type') ?? '')?.[1];
  if (!json.test(type) || (charset !== undefined && !/^utf-?8$/i.test(charset))) {
    throw new AppError('request.unsupported_media_type', {
      status: 415,
      public: 'Send the body as application/json in UTF-8.',
    });
  }
  const encoding = headers.get('content-encoding');
  if (encoding !== null && encoding.toLowerCase() !== 'identity') {
    // A small compressed body can unfold to gigabytes.
    throw new AppError('request.unsupported_encoding', { status: 415, public: 'Send the body uncompressed.' });
  }
}

async function readBounded(body: ReadableStream<Uint8Array>, limitBytes: number): Promise<Uint8Array> {
  const reader = body.getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    length += read.value.byteLength;
    if (length > limitBytes) {
      // Not cancelled, which would close the connection in front of the answer.
      reader.releaseLock();
      throw tooLarge(limitBytes);
    }
    parts.push(read.value);
  }
  return Buffer.concat(parts, length);
}

function refuseInvalid(text: string): void {
  try {
    JSON.parse(text);
  } catch {
    throw invalidJson('The body is not valid JSON.');
  }
}

function tooLarge(limitBytes: number): AppError {
  return new AppError('request.too_large', { status: 413, public: `The body is larger than ${limitBytes} bytes.` });
}
