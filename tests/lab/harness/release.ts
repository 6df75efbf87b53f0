import { docker } from './docker.ts';

const imagesOf = (version: string) => ['api', 'web', 'caddy'].map((image) => `ballast/${image}:${version}`);

/** A migration that expands, as docs/deploys.md asks for: what a new version brings beside its code. */
const migration = '9999_of_the_lab';
export const expands = [
  `COPY <<END /app/apps/api/dist/migrations/support/${migration}.sql`,
  'alter table support.request add column of_the_lab text;',
  'END',
];

/** Whether that migration is written down, and whether its column is there. */
export const whetherExpanded = `select
  exists (select from ballast.migration where module = 'support' and name = '${migration}'),
  exists (select from information_schema.columns
    where table_schema = 'support' and table_name = 'request' and column_name = 'of_the_lab')`;

/** The images of a version again, under another name, as a build of a new one leaves them. */
export async function release(former: string, version: string, ofApi: readonly string[] = []): Promise<void> {
  for (const name of imagesOf(version)) {
    const from = `FROM ${name.replace(`:${version}`, `:${former}`)}`;
    const changes = name.startsWith('ballast/api:') ? ofApi : [];
    const input = [from, `LABEL version=${version}`, ...changes].join('\n');
    await docker(['build', '-q', '-t', name, '-'], { input });
  }
}

export async function forgetReleases(versions: readonly string[]): Promise<void> {
  for (const version of versions) await docker(['rmi', '-f', ...imagesOf(version)], { mayFail: true });
}
