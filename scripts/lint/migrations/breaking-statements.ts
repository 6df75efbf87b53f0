/**
 * What breaks the release that still runs while a migration is applied (docs/deploys.md),
 * and that squawk does not look for. Objects that the same file creates are nobody's yet.
 */
import type { Statement } from './split-statements.ts';

const name = '((?:"[^"]+"|[\\w])+(?:\\.(?:"[^"]+"|[\\w])+)?)';

interface Rule {
  words: RegExp;
  why: string;
}

const rules: Rule[] = [
  {
    words: new RegExp(
      `^drop (?:function|procedure|materialized view|view|schema|type|domain|trigger|policy|sequence|extension) (?:if exists )?${name}`,
    ),
    why: 'the release that runs may use it. Drop it one release after the last that does',
  },
  {
    words: new RegExp(
      `^alter (?:function|procedure|view|materialized view|schema|sequence|type|domain) ${name}[^;]* (?:rename|set schema)\\b`,
    ),
    why: 'the release that runs knows it by the old name. Add the new one beside it',
  },
  {
    words: new RegExp(`^truncate (?:table )?(?:only )?${name}`),
    why: 'what the release that runs has written is gone',
  },
  {
    words: new RegExp(
      `^revoke [^;]* on (?:table |function |schema |all \\w+ in schema )?${name}[^;]* from [^;]*ballast_`,
    ),
    why: 'the release that runs may need that right',
  },
  {
    words: new RegExp(`^alter table (?:if exists )?(?:only )?${name} enable row level security`),
    why: 'the release that runs reads and writes there without a scope',
  },
  {
    words: new RegExp(
      `^alter table (?:if exists )?(?:only )?${name} add (?:constraint \\S+ )?(?:check|unique|exclude|primary key|foreign key)\\b`,
    ),
    why: 'what the release that runs writes may not satisfy it',
  },
  {
    words: new RegExp(`^create unique index (?:concurrently )?(?:if not exists )?(?:\\S+ )?on (?:only )?${name}`),
    why: 'what the release that runs writes may not satisfy it',
  },
];

const created = new RegExp(
  `^create (?:or replace )?(?:unlogged |materialized |constraint )?(?:table|view|function|procedure|schema|type|domain|sequence|trigger|policy) (?:if not exists )?${name}`,
);

/** Sentences by the number of the statement's line. */
export function breakingStatements(statements: readonly Statement[]): { line: number; problem: string }[] {
  const own = new Set<string>();
  const problems: { line: number; problem: string }[] = [];
  for (const { words, from } of statements) {
    for (const rule of rules) {
      const [, what = ''] = rule.words.exec(words) ?? [];
      if (what && !own.has(what)) problems.push({ line: from, problem: `${words.slice(0, 80)}: ${rule.why}` });
    }
    const [, made] = created.exec(words) ?? [];
    if (made) own.add(made);
  }
  return problems;
}
