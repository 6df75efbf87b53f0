import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { root } from '../../start/settings.ts';
import { migrationProblems } from './check-migrations.ts';
import { splitStatements } from './split-statements.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ballast-migrations-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function problems(sql: string): string[] {
  const file = join(folder, '0002_next.sql');
  writeFileSync(file, sql);
  return migrationProblems(file).map((problem) => problem.slice(file.length));
}

/** Every statement of which the release before this one would notice something. */
const breaking = [
  'alter table shop.item drop column price;',
  'alter table shop.item rename column price to cost;',
  'alter table shop.item rename to thing;',
  'drop table shop.item;',
  'alter table shop.item add column size integer not null;',
  'alter table shop.item alter column size type bigint;',
  'alter table shop.item alter column size set not null;',
  'create index item_by_size on shop.item (size);',
  'alter table shop.item add constraint positive check (size > 0);',
  'alter table shop.item add constraint positive check (size > 0) not valid;',
  'alter table shop.item add constraint of_shop foreign key (shop) references shop.shop (id) not valid;',
  'create unique index item_by_name on shop.item (name);',
  'drop index shop.item_by_size;',
  'drop function shop.price(uuid);',
  'drop view if exists shop.cheap;',
  'drop policy tenant on shop.item;',
  'alter function shop.price rename to cost;',
  "alter type shop.kind rename value 'a' to 'b';",
  'truncate shop.item;',
  'revoke select on shop.item from ballast_app;',
  'alter table shop.item enable row level security;',
];

const expanding = [
  'alter table shop.item add column size integer;',
  'alter table shop.item add column size integer not null default 0;',
  'create table shop.box (id uuid primary key, size integer not null); create index box_by_size on shop.box (size);',
  'create table shop.box (id uuid primary key); alter table shop.box enable row level security;',
  "create function shop.price() returns text language sql as $$ select 'drop table shop.item;' $$;",
  'create or replace function shop.price() returns integer language sql as $$ select 1 $$;',
  'revoke all on function shop.price from public;',
  '-- outside a transaction: the table is large\ncreate index concurrently if not exists item_by_size on shop.item (size);',
  "comment on table shop.item is 'drop table shop.item; -- never';",
];

describe('a migration', () => {
  it.each(breaking)('that breaks the previous release is refused: %s', (sql) => {
    const found = problems(`-- What it is for.\n${sql}\n`);
    expect(found.length).toBeGreaterThan(0);
    for (const problem of found) expect(problem).toMatch(/^:2 ./);
  });

  it.each(expanding)('that only adds is fine: %s', (sql) => {
    expect(problems(`${sql}\n`)).toEqual([]);
  });

  it('may do it with a reason directly above, and with nothing less', () => {
    const drop = 'alter table shop.item\n  drop column price;\n';
    expect(problems(`-- safe: no release since 1.4 reads it.\n${drop}`)).toEqual([]);
    expect(problems(`-- Prices are gone.\n-- safe: no release since 1.4 reads it.\n${drop}`)).toEqual([]);
    for (const above of [
      '-- safe:',
      '-- safe: yes',
      '-- no release reads it',
      '-- safe: no release since 1.4 reads it.\n',
    ]) {
      expect(problems(`${above}\n${drop}`), above).toHaveLength(1);
    }
    // The reason is for one statement, and not for the file.
    expect(problems(`-- safe: no release since 1.4 reads it.\n${drop}drop table shop.box;\n`)).toHaveLength(1);
  });

  it('cannot silence the linter, nor do several things outside a transaction', () => {
    expect(problems('-- squawk-ignore ban-drop-table\ndrop table shop.item;\n')).toEqual([
      expect.stringContaining('silences squawk'),
    ]);
    const two =
      '-- outside a transaction: large\ncreate index concurrently a on shop.item (a);\ncreate index concurrently b on shop.item (b);';
    expect(problems(two)).toEqual([expect.stringContaining('has 2 statements')]);
    expect(problems('create index concurrently a on shop.item (a);')).toEqual([
      expect.stringContaining('-- outside a transaction: why'),
    ]);
  });

  it('is read statement by statement', () => {
    const read = splitStatements('select \';\' -- ;\n, "a;b";\n\n-- above\ncreate function f() as $x$ ; $$ ; $x$;\n');
    expect(read).toMatchObject([
      { from: 1, to: 2, above: '' },
      { from: 5, to: 5, above: 'above' },
    ]);
  });
});

describe('the migrations of', () => {
  const folders = ['packages', 'modules'].flatMap((place) =>
    readdirSync(join(root, place)).map((name) => join(place, name, 'migrations')),
  );
  const files = folders.flatMap((place) => {
    try {
      return readdirSync(join(root, place)).map((name) => join(place, name));
    } catch {
      return [];
    }
  });

  it.each(files)('%s keep the previous release running', (file) => {
    expect(migrationProblems(join(root, file))).toEqual([]);
  });

  it('are found at all', () => expect(files.length).toBeGreaterThan(8));
});
