import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyCheckout } from '../../../scripts/test/copy-checkout.ts';
import { runNode } from '../../../scripts/test/run-command.ts';
import { writeFixture } from './fixture-pages.ts';

export type Version = 'former' | 'next';

/** Two versions of the web app with the fixture's pages, each in a folder that any number of replicas start from. */
export async function buildVersions(): Promise<{ serve: Record<Version, string>; remove(): void }> {
  // Kept between runs: the packages' links take longest.
  const copy = join(tmpdir(), 'ballast-edge-web');
  copyCheckout(copy);
  const web = join(copy, 'apps/web');
  const serve = { former: '', next: '' };
  for (const version of ['former', 'next'] as const) {
    writeFixture(web, version);
    const { code, output } = await runNode(['build.mjs'], { cwd: web, env: { BALLAST_BUILD_ID: version } });
    if (code !== 0) throw new Error(`The ${version} version was not built:\n${output.slice(-4_000)}`);
    const folder = join(copy, version);
    rmSync(folder, { recursive: true, force: true });
    renameSync(join(web, '.next/standalone'), folder);
    serve[version] = join(folder, 'apps/web/serve.mjs');
  }
  return {
    serve,
    remove: () => {
      for (const version of Object.keys(serve)) rmSync(join(copy, version), { recursive: true, force: true });
    },
  };
}

export interface WebReplica {
  url: string;
  said(): string;
  ended: Promise<number | null>;
  stop(): Promise<void>;
}

export async function startWeb(serve: string, address: string, env: Record<string, string>): Promise<WebReplica> {
  const child: ChildProcess = spawn(process.execPath, [serve], {
    env: { PATH: process.env.PATH, HOSTNAME: address, TRUSTED_PROXY_HOPS: '1', ...env },
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (data) => {
      text += data;
    });
  }
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  const url = `http://${address}:${env.PORT}`;
  let over = false;
  void ended.then(() => {
    over = true;
  });
  // One that refuses its settings has ended.
  const serves = async () => over || ((await fetch(`${url}/livez`).catch(() => null))?.ok ?? false);
  for (let tries = 1; !(await serves()); tries++) {
    if (tries === 2_400) {
      child.kill('SIGKILL');
      throw new Error(`The web did not come up on ${url}:\n${text}`);
    }
    await new Promise((next) => setTimeout(next, 50));
  }
  return {
    url,
    said: () => text,
    ended,
    async stop() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
