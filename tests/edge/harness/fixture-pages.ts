import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Pages that use what the product's own do not yet: data and routes that are kept, and actions that close over values. They
 * are written into a copy of the web app, and built by its own build and configuration.
 */
const page = `
import { unstable_cache, updateTag } from 'next/cache';
import Link from 'next/link';
import { Panel } from './panel.tsx';
ACTIONS

const drawn = unstable_cache(async () => crypto.randomUUID(), ['drawn'], { tags: ['drawn'] });

export default async function Page() {
  const closedOver = 'made by ' + process.env.HOSTNAME;
  async function draw() {
    'use server';
    updateTag('drawn');
    return closedOver + ', ran on ' + process.env.HOSTNAME;
  }
  return (
    <main>
      <p id="drawn">{await drawn()}</p>
      <Panel draw={draw} gone={GONE} />
      <Link href="/sign-in" prefetch={false}>Sign in</Link>
    </main>
  );
}
`;

const panel = `
'use client';
import { lazy, Suspense, useEffect, useState } from 'react';

const Late = lazy(() => import('./late.tsx'));

export function Panel({ draw, gone }: { draw: () => Promise<string>; gone?: () => Promise<string> }) {
  const [said, say] = useState('');
  const [late, show] = useState(false);
  const [ready, setReady] = useState(false);
  useEffect(() => setReady(true), []);
  return (
    <section data-ready={ready || undefined}>
      <button type="button" onClick={async () => say(await draw())}>Draw</button>
      <button type="button" onClick={async () => say((await gone?.()) ?? 'none')}>Gone</button>
      <button type="button" onClick={() => show(true)}>Late</button>
      <output>{said}</output>
      {late ? <Suspense><Late /></Suspense> : null}
    </section>
  );
}
`;

const late = `
'use client';
export default function Late() {
  return <p id="late">loaded late, VERSION</p>;
}
`;

const gone = `
'use server';
export async function gone() {
  return 'not gone';
}
`;

const kept = `
export const dynamic = 'force-static';
export const GET = () => new Response(crypto.randomUUID());
`;

/** What a webhook of a content system would call. */
const expire = `
import { revalidatePath, revalidateTag } from 'next/cache';
export function POST(request: Request) {
  const tag = new URL(request.url).searchParams.get('tag');
  if (tag) revalidateTag(tag, { expire: 0 });
  else revalidatePath('/fixture/kept');
  return new Response(process.env.HOSTNAME);
}
`;

/** The former version has an action that the next one does not, and another text in what is loaded late. */
export function writeFixture(web: string, version: 'former' | 'next'): void {
  const folder = join(web, 'src/app/fixture');
  const former = version === 'former';
  rmSync(folder, { recursive: true, force: true });
  const files = {
    'page.tsx': page
      .replace('ACTIONS', former ? "import { gone } from './gone.ts';" : '')
      .replace('GONE', former ? 'gone' : 'undefined'),
    'panel.tsx': panel,
    'late.tsx': late.replace('VERSION', version),
    ...(former && { 'gone.ts': gone }),
    'kept/route.ts': kept,
    'expire/route.ts': expire,
  };
  for (const [name, source] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), source.trimStart());
  }
}
