/**
 * Shows every mail of every module with its sample data, in light, in dark and as
 * plain text: `pnpm preview:mail`. Starts again when a template changes.
 */
import { readdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { renderMail } from '@ballast/mail';

interface Template {
  /** `accounts/welcome` */
  name: string;
  html: string;
  text: string;
}

const modules = fileURLToPath(new URL('../modules', import.meta.url));

async function templates(): Promise<Template[]> {
  const paths: string[] = [];
  for (const module of await readdir(modules)) {
    const files = await readdir(join(modules, module, 'emails')).catch(() => []);
    paths.push(...files.filter((file) => /^[\w-]+\.tsx$/.test(file)).map((file) => `${module}/emails/${file}`));
  }
  return Promise.all(
    paths.map(async (path) => {
      const { sample, ...file } = await import(pathToFileURL(join(modules, path)).href);
      const component = Object.values(file).find((value) => typeof value === 'function');
      if (typeof component !== 'function' || !sample)
        throw new Error(`${path} must export a component and its sample.`);
      const rendered = await renderMail(component(sample));
      return { name: path.replace('/emails/', '/').replace('.tsx', ''), ...rendered };
    }),
  );
}

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');

function page(all: readonly Template[]): string {
  const frame = (scheme: string, html: string) =>
    `<iframe title="${scheme}" style="color-scheme: ${scheme}" sandbox srcdoc="${escaped(html)}"></iframe>`;
  const sections = all.map(
    ({ name, html, text }) => `<section id="${name}"><h2>${name}</h2><div>
      ${frame('light', html)}${frame('dark', html)}<pre>${escaped(text)}</pre></div></section>`,
  );
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Mails</title><style>
    body { font: 15px/1.5 system-ui, sans-serif; margin: 24px; background: #fff; color: #18181b }
    nav a { margin-right: 16px; color: #1f4fd8 }
    section > div { display: grid; grid-template-columns: 1fr 1fr 1fr; gap: 16px }
    iframe, pre { width: 100%; height: 560px; border: 1px solid #d4d4d8; border-radius: 8px; box-sizing: border-box }
    pre { margin: 0; padding: 16px; overflow: auto; white-space: pre-wrap }
  </style><nav>${all.map(({ name }) => `<a href="#${name}">${name}</a>`).join('')}</nav>${sections.join('')}</html>`;
}

const server = createServer(async (_request, response) => {
  const [status, body] = await templates().then(
    (all) => [200, page(all)] as const,
    (error: Error) => [500, `<pre>${escaped(error.stack ?? error.message)}</pre>`] as const,
  );
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8' }).end(body);
});

await templates();
server.listen(Number(process.env.PORT ?? 3025), '127.0.0.1', () => {
  const address = server.address();
  const port = address && typeof address === 'object' ? address.port : '';
  console.log(`Mails with their sample data: http://localhost:${port}`);
});
