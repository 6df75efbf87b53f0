import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { closestName, type ModuleDefinition } from '@ballast/kernel';
import { didYouMean } from './problems.ts';

/** What `module.ts` names must exist, and what exists must be named: a forgotten line is a feature that is silently absent. */
export async function fileProblems(root: string, definition: ModuleDefinition): Promise<string[]> {
  const folder = join(root, 'modules', definition.name);
  const named = `modules/${definition.name}/module.ts`;
  const problems: string[] = [];
  const missing = (file: string) => {
    if (!existsSync(join(folder, file))) problems.push(`${named} names ${file}, which does not exist.`);
  };
  for (const part of ['routes', 'internal', 'config'] as const) {
    if (definition[part]) missing(`${part}.ts`);
    else if (existsSync(join(folder, `${part}.ts`))) {
      problems.push(`${named} does not say \`${part}: true\`, but ${part}.ts exists.`);
    }
  }
  for (const job of definition.jobs ?? []) {
    missing(`jobs/${job}.job.ts`);
    missing(`jobs/${job}.handler.ts`);
  }
  for (const schedule of definition.schedules ?? []) missing(`schedules/${schedule}.schedule.ts`);
  for (const page of definition.pages ?? []) missing(`web/${page.file}.page.tsx`);
  for (const locale of definition.messages ?? []) missing(`messages/${locale}.json`);

  const listed: [string, string, string, readonly string[]][] = [
    ['jobs', '.job.ts', 'jobs', definition.jobs ?? []],
    ['schedules', '.schedule.ts', 'schedules', definition.schedules ?? []],
    ['web', '.page.tsx', 'pages', (definition.pages ?? []).map((page) => page.file)],
    ['messages', '.json', 'messages', definition.messages ?? []],
  ];
  for (const [directory, ending, field, names] of listed) {
    for (const name of await namesIn(join(folder, directory), ending)) {
      if (names.includes(name)) continue;
      problems.push(`${named} does not list '${name}' under \`${field}\`, but ${directory}/${name}${ending} exists.`);
    }
  }
  return [...problems, ...(await messageProblems(folder, definition))];
}

async function namesIn(directory: string, ending: string): Promise<string[]> {
  const files = await readdir(directory).catch(() => []);
  return files.filter((file) => file.endsWith(ending)).map((file) => file.slice(0, -ending.length));
}

/** Each language must be JSON, and have the words that the menu shows. */
async function messageProblems(folder: string, definition: ModuleDefinition): Promise<string[]> {
  const labels = (definition.pages ?? []).flatMap((page) => (page.menu ? [page.menu.label] : []));
  const problems: string[] = [];
  if (labels.length > 0 && !definition.messages?.length) {
    problems.push(`modules/${definition.name}/module.ts has menu entries but no \`messages\` to name them.`);
  }
  for (const locale of definition.messages ?? []) {
    const file = `modules/${definition.name}/messages/${locale}.json`;
    const text = await readFile(join(folder, 'messages', `${locale}.json`), 'utf8').catch(() => null);
    if (text === null) continue;
    const messages = parse(text);
    if (messages === null) problems.push(`${file} is not a JSON object.`);
    else if (Object.keys(messages).length === 1 && definition.name in messages) {
      problems.push(`${file}: leave out the outer '${definition.name}', the generator adds it.`);
    } else {
      for (const label of labels) {
        if (typeof at(messages, label) === 'string') continue;
        const near = didYouMean(closestName(label, Object.keys(messages)));
        problems.push(`${file} has no '${label}', which the menu shows${near || '.'}`);
      }
    }
  }
  return problems;
}

function parse(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function at(messages: Record<string, unknown>, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], messages);
}
