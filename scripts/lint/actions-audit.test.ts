import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const repository = join(import.meta.dirname, '../..');
let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'ballast-lint-'));
  for (const path of ['biome.json', 'scripts/lint/actions-audit.grit'])
    await cp(join(repository, path), join(root, path));
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** What Biome says of a file that lies at this path of the repository. */
async function lint(path: string, source: string): Promise<string> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), source);
  const biome = join(repository, 'node_modules/.bin/biome');
  const { stdout, stderr } = spawnSync(biome, ['lint', '--vcs-enabled=false', path], { cwd: root, encoding: 'utf8' });
  return `${stdout}${stderr}`;
}

const writing = (more: string) => `
export async function close({ ctx, input }) {
  const { id } = Close.parse(input);
  return ctx.transaction(async (tx) => {
    await tx.update(request).set({ state: 'closed' }).where(eq(request.id, id));
    ${more}
  });
}
`;
const noAudit = 'writes no audit line';

test('an action that changes rows without its audit line is refused', async () => {
  expect(await lint('modules/support/actions/close.ts', writing(''))).toContain(noAudit);
  const audited = writing("await audit(tx, { action: 'support.request.close', subject: id });");
  expect(await lint('modules/support/actions/close.ts', audited)).not.toContain(noAudit);
});

test('reading needs no audit line', async () => {
  const reading = 'export const list = ({ ctx }) => ctx.transaction((tx) => tx.select().from(request));\n';
  expect(await lint('modules/support/actions/list.ts', reading)).not.toContain(noAudit);
});

test('so is one in plain SQL, wherever it stands in the file', async () => {
  const plain = (more: string) => `
export const close = ({ ctx, input }) => ctx.transaction(async (tx) => { await mark(tx, input.id); ${more} });
async function mark(tx, id) {
  await sqlOf(tx)<{ id: string }[]>\`
    update support.request set state = 'closed' where id = \${id}\`;
}
`;
  expect(await lint('modules/support/actions/close.ts', plain(''))).toContain(noAudit);
  const audited = plain("await audit(tx, { action: 'support.request.close', subject: input.id });");
  expect(await lint('modules/support/actions/close.ts', audited)).not.toContain(noAudit);
  const locking = plain('').replace('update support.request set', 'select id from support.request for update --');
  expect(await lint('modules/support/actions/close.ts', locking)).not.toContain(noAudit);
});

test('and every transaction on identity, unless it says why none is due', async () => {
  const onIdentity = (auth: string, more: string, reason = '') => `
export async function rename({ ctx, input }) {
  ${reason}
  await ${auth}.transaction(async (tx) => { await keep(tx, input); ${more} });
}
`;
  const said = (...parts: Parameters<typeof onIdentity>) =>
    lint('modules/accounts/actions/go.ts', onIdentity(...parts));
  for (const auth of ['auth', 'authOf(ctx)']) expect(await said(auth, '')).toContain(noAudit);
  const line = "await auditPerson(tx, personOf(ctx), 'accounts.profile.rename');";
  expect(await said('auth', line)).not.toContain(noAudit);
  const excuse = '// biome-ignore lint/plugin/actions-audit: nothing changes yet';
  expect(await said('auth', '', excuse)).not.toContain(noAudit);
});

test('a module opens no scope of its own', async () => {
  const around =
    "import { withTenant } from '@ballast/db';\nexport const go = (db, id, work) => withTenant(db, id, work);\n";
  expect(await lint('modules/support/actions/go.ts', around)).toContain('Use ctx.transaction');
  expect(await lint('modules/support/actions/go.test.ts', around)).not.toContain('Use ctx.transaction');
});
