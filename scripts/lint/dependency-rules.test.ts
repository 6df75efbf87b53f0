import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** A small repository in which each of these files breaks one rule, or stands beside one that does and breaks none. */
const files: Record<string, string> = {
  'app.config.ts': '',
  'packages/kernel/index.ts': "import { readFile } from 'node:fs';\nexport const kernel = readFile;\n",
  'packages/db/index.ts': 'export const db = 1;\nexport type Row = string;\n',
  'packages/db/reaches-up.ts': "import '../../modules/teams/schema.ts';\n",
  'packages/db/left.ts': "import './right.ts';\n",
  'packages/db/right.ts': "import './left.ts';\n",
  'packages/test-kit/database.ts': '',
  'modules/teams/module.ts': "export const module = { name: 'teams' };\n",
  'modules/teams/schema.ts': 'export const team = 1;\n',
  'modules/teams/actions/add-team.ts': '',
  'modules/teams/testing/suite.ts': '',
  'modules/teams/testing/uses-later.ts': "import '../../billing/testing/suite.ts';\n",
  'modules/teams/actions/uses-later.ts': "import '../../billing/schema.ts';\n",
  'modules/billing/module.ts': "export const module = { name: 'billing', dependsOn: ['teams'] };\n",
  'modules/billing/schema.ts': '',
  'modules/billing/actions/through-door.ts': "import '../../teams/schema.ts';\n",
  'modules/billing/actions/past-door.ts': "import '../../teams/actions/add-team.ts';\n",
  'modules/billing/actions/knows-app.ts': "import '../../../apps/api/src/main.ts';\n",
  'modules/billing/actions/uses-tests.ts': "import '../../../packages/test-kit/database.ts';\n",
  'modules/billing/actions/loads-handler.ts': "import '../jobs/send.handler.ts';\n",
  'modules/billing/actions/uses-testing.ts': "import '../../teams/testing/suite.ts';\n",
  'modules/billing/actions/charge.test.ts': "import '../../teams/testing/suite.ts';\n",
  'modules/billing/testing/suite.ts': "import '../../teams/testing/suite.ts';\n",
  'modules/billing/testing/past-door.ts': "import '../../teams/actions/add-team.ts';\n",
  'modules/billing/jobs/send.handler.ts': '',
  'modules/billing/jobs/heavy.job.ts': "import '../schema.ts';\n",
  'modules/billing/routes.ts': "import './schema.ts';\n",
  'modules/billing/web/bill.page.tsx': "import '../schema.ts';\nexport default () => <p />;\n",
  'modules/billing/web/types.page.tsx':
    "import type { Row } from '../../../packages/db/index.ts';\nexport const row: Row = '';\n",
  'apps/api/src/main.ts': '',
  'apps/api/src/skips-generated.ts': "import '../../../modules/billing/routes.ts';\n",
  'apps/api/src/generated/routes.ts': "import '../../../../modules/billing/routes.ts';\n",
  'apps/api/src/generated/jobs.ts':
    "export const load = () => import('../../../../modules/billing/jobs/send.handler.ts');\n",
  'apps/web/src/calls-api.ts': "import '../../api/src/main.ts';\n",
  'apps/web/src/names-optional.ts':
    "import type { Bill } from '../../../modules/billing/schema.ts';\nexport const bill: Bill = 1;\n",
  'apps/web/src/lost.ts': "import './nowhere.ts';\n",
};

let root: string;
let found: Set<string>;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'ballast-rules-'));
  const repository = join(import.meta.dirname, '../..');
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  await copyFile(join(repository, '.dependency-cruiser.cjs'), join(root, '.dependency-cruiser.cjs'));
  await symlink(join(repository, 'node_modules'), join(root, 'node_modules'));
  const flags = ['--config', '.dependency-cruiser.cjs', '--output-type', 'json', 'apps', 'packages', 'modules'];
  const output = await new Promise<string>((resolve) => {
    execFile(join(repository, 'node_modules/.bin/depcruise'), flags, { cwd: root }, (_error, stdout) =>
      resolve(stdout),
    );
  });
  const { summary } = JSON.parse(output) as { summary: { violations: { from: string; rule: { name: string } }[] } };
  found = new Set(summary.violations.map(({ from, rule }) => `${rule.name}: ${from}`));
});
afterAll(() => rm(root, { recursive: true, force: true }));

test('each breach is found, and nothing else', () => {
  expect([...found].sort()).toEqual(
    [
      'apps-know-no-other-app: apps/web/src/calls-api.ts',
      'billing-imports-no-other-module: modules/billing/actions/past-door.ts',
      'billing-imports-no-other-module: modules/billing/actions/uses-testing.ts',
      'billing-tests-import-no-other-module: modules/billing/testing/past-door.ts',
      'jobs-are-light: modules/billing/jobs/heavy.job.ts',
      'kernel-has-no-io: packages/kernel/index.ts',
      'modules-know-no-app: modules/billing/actions/knows-app.ts',
      'no-cycles: packages/db/left.ts',
      'no-missing-files: apps/web/src/lost.ts',
      'no-tests-in-production-code: modules/billing/actions/uses-testing.ts',
      'no-tests-in-production-code: modules/billing/actions/uses-tests.ts',
      'only-the-worker-loads-handlers: modules/billing/actions/loads-handler.ts',
      'packages-stand-alone: packages/db/reaches-up.ts',
      'routes-only-adapt: modules/billing/routes.ts',
      'teams-imports-no-other-module: modules/teams/actions/uses-later.ts',
      'teams-tests-import-no-other-module: modules/teams/testing/uses-later.ts',
      'the-shell-names-no-optional-module: apps/web/src/names-optional.ts',
      'the-api-reaches-modules-through-generated-code: apps/api/src/skips-generated.ts',
      'web-imports-no-server-code: apps/web/src/calls-api.ts',
      'web-imports-no-server-code: modules/billing/web/bill.page.tsx',
    ].sort(),
  );
});
