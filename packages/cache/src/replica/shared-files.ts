import { readdir, readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join, relative, sep } from 'node:path';
import type { CacheLink } from '../cache-link.ts';

const prefix = '/_next/static/';
const fileKey = (path: string) => `ballast:web:file:${path}`;
const weekSeconds = 7 * 24 * 60 * 60;

const types: Record<string, string> = {
  '.js': 'application/javascript; charset=UTF-8',
  '.css': 'text/css; charset=UTF-8',
  '.json': 'application/json; charset=UTF-8',
  '.woff2': 'font/woff2',
  '.woff': 'font/woff',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
};

/** Address and file of each that browsers load of a build, which does not change. */
export async function listFiles(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(files.map((file) => [prefix + relative(folder, file).split(sep).join('/'), file]));
}

/**
 * The files that pages load, shared by the builds that serve at the same time: while a new version takes over, a page of one
 * replica asks another for its scripts, and a tab that stayed open asks for one that no replica has any more.
 */
export function shareFiles(link: CacheLink, own: ReadonlyMap<string, string>) {
  return {
    /** Puts what is not there yet. Names carry a hash of the content, so nothing there is ever different. */
    async publish(): Promise<void> {
      for (const [address, file] of own) {
        const key = fileKey(address);
        if ((await link.redis.expire(key, weekSeconds)) === 1) continue;
        await link.redis.set(key, await readFile(file), 'EX', weekSeconds);
      }
    },
    /** Answers for a file of another build; false when it is one of ours, or nobody's. */
    async answer({ url = '', method }: IncomingMessage, response: ServerResponse): Promise<boolean> {
      if (!url.startsWith(prefix) || (method !== 'GET' && method !== 'HEAD')) return false;
      const path = pathOf(url);
      const type = path && types[extname(path)];
      if (!path || !type || own.has(path)) return false;
      const found = await link.ask(
        () => link.redis.getBuffer(fileKey(path)),
        async () => null,
      );
      if (!found) return false;
      response.writeHead(200, {
        'content-type': type,
        'content-length': found.length,
        'cache-control': 'public, max-age=31536000, immutable',
        'x-content-type-options': 'nosniff',
      });
      response.end(method === 'HEAD' ? undefined : found);
      return true;
    },
  };
}

function pathOf(url: string): string | null {
  try {
    const path = decodeURIComponent(url.split('?', 1)[0] ?? '');
    return path.includes('\0') || path.split('/').includes('..') ? null : path;
  } catch {
    return null;
  }
}
