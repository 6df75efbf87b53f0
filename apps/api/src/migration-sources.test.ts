import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { migrationSources } from './migration-sources.ts';

describe('migrationSources', () => {
  it('finds the SQL in the rooms when run from source', () => {
    const sources = migrationSources();
    expect(sources.map(({ module }) => module).slice(0, 3)).toEqual(['db', 'jobs', 'accounts']);
    for (const { directory } of sources) expect(existsSync(directory), directory).toBe(true);
  });

  it('finds it beside the code in a build', () => {
    expect(migrationSources('/app/dist')[0]).toEqual({ module: 'db', directory: '/app/dist/migrations/db' });
  });
});
