import { execFileSync } from 'node:child_process';
import path from 'node:path';
import type { NextConfig } from 'next';
import createNextIntlPlugin from 'next-intl/plugin';

const root = path.join(import.meta.dirname, '../..');

/**
 * One id for every replica built from the same commit: a tab that is older than the server it reaches
 * reloads instead of breaking. `BALLAST_BUILD_ID` is for builds without a repository, such as an image's.
 */
function buildId(): string {
  if (process.env.BALLAST_BUILD_ID) return process.env.BALLAST_BUILD_ID;
  try {
    return execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] })
      .toString()
      .trim();
  } catch {
    return 'local';
  }
}

const config: NextConfig = {
  output: 'standalone',
  outputFileTracingRoot: root,
  turbopack: { root },
  deploymentId: buildId(),
  // Given by build.mjs: the development server keeps pages to itself.
  ...(process.env.BALLAST_CACHE_HANDLER && { cacheHandler: process.env.BALLAST_CACHE_HANDLER, cacheMaxMemorySize: 0 }),
  generateBuildId: buildId,
  transpilePackages: ['@ballast/ui', '@ballast/modules'],
  reactStrictMode: true,
  poweredByHeader: false,
  // Asked for by pages that are not ours to mark up, such as the API's reference.
  rewrites: async () => [{ source: '/favicon.ico', destination: '/icon.svg' }],
  // Types are checked by `pnpm typecheck`, over the API, the modules and the web together.
  typescript: { ignoreBuildErrors: true },
  experimental: { optimizePackageImports: ['lucide-react'] },
};

const withNextIntl = createNextIntlPlugin({
  requestConfig: './src/i18n/request.ts',
  experimental: {
    // Messages are compiled at build time, so that no parser for them is sent to browsers.
    messages: {
      path: ['./messages', '../../modules/*/messages'],
      format: 'json',
      locales: ['en'],
      precompile: true,
    },
  },
});

export default withNextIntl(config);
