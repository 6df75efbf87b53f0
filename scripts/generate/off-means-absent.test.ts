import { basename, join } from 'node:path';
import type { AppDefinition } from '@ballast/kernel';
import { rolldown } from 'rolldown';
import { expect, test } from 'vitest';
import { plan } from './plan.ts';
import { readApp } from './read-app.ts';
import type { Files } from './write-files.ts';

const root = join(import.meta.dirname, '../..');

/** The real product's generated code, for another choice of modules. */
async function generatedFor(modules: AppDefinition['modules']): Promise<Files> {
  const sources = await readApp(root, join(root, 'app.config.ts'));
  return plan({ ...sources, app: { ...sources.app, modules } });
}

/** The bundle of the API and its worker as the build would make it from these files, as text, and what went into it. */
async function bundled(files: Files): Promise<{ text: string; modules: string[] }> {
  const build = await rolldown({
    cwd: root,
    input: ['main', 'workers-standalone', 'migrate'].map((name) => join(root, `apps/api/src/${name}.ts`)),
    platform: 'node',
    plugins: [
      {
        name: 'generated',
        load: (id) =>
          id.includes('/apps/api/src/generated/') ? files.get(`apps/api/src/generated/${basename(id)}`) : null,
      },
    ],
  });
  try {
    const { output } = await build.generate({ format: 'esm' });
    const chunks = output.filter((part) => part.type === 'chunk');
    return { text: chunks.map(({ code }) => code).join('\n'), modules: chunks.flatMap(({ moduleIds }) => moduleIds) };
  } finally {
    await build.close();
  }
}

/** What a build shows of each module that may be off. */
const traces: Record<string, string[]> = {
  support: ['/api/support', 'support.send-request', 'support@ballast.localhost', 'There is no such request.'],
  domains: ['/api/domains', 'domains.check-proofs', 'DOMAINS_RESOLVERS', 'ballast-proof='],
};
const names = Object.keys(traces);
const choice = (off?: string) => ({ accounts: true, ...Object.fromEntries(names.map((name) => [name, name !== off])) });

test('a module that is on is in the bundle: the traces below would be seen', async () => {
  const { text, modules } = await bundled(await generatedFor(choice()));
  for (const [name, seen] of Object.entries(traces)) {
    expect(seen.filter((trace) => text.includes(trace))).toEqual(seen);
    expect(modules.some((id) => id.includes(`/modules/${name}/`))).toBe(true);
  }
});

test.each(names)(
  '%s, when it is off, leaves no byte: no route, job, page, menu entry, string or migration',
  async (name) => {
    const files = await generatedFor(choice(name));
    for (const [path, text] of files) expect(`${path}\n${text}`).not.toMatch(new RegExp(name, 'i'));
    const { text, modules } = await bundled(files);
    expect(traces[name]?.filter((trace) => text.includes(trace))).toEqual([]);
    expect(modules.filter((id) => id.includes(`/modules/${name}/`))).toEqual([]);
  },
);
