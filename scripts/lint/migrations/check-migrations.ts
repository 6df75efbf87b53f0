/**
 * Refuses a migration that breaks the previous release, which goes on running while the
 * next is rolled out: squawk's rules, and ours. A statement that is safe for a reason
 * that no rule can know says so in the comment directly above it: `-- safe: why`.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { outsideTransaction } from '@ballast/db/migrate';
import { breakingStatements } from './breaking-statements.ts';
import { splitStatements } from './split-statements.ts';

/** Matters of taste, and limits that the migration itself sets (packages/db/src/migrate.ts). */
const notOurs = [
  'prefer-bigint-over-int',
  'prefer-bigint-over-smallint',
  'prefer-text-field',
  'prefer-identity',
  'prefer-robust-stmts',
  'require-lock-timeout',
  'require-statement-timeout',
  'require-timeout-settings',
];

interface Finding {
  line: number;
  rule_name: string;
  message: string;
  help?: string;
}

const reason = /(?:^|\n)safe: (?=(?:\S+\s+){3})/;

/** One sentence for each statement that is refused. */
export function migrationProblems(file: string): string[] {
  const sql = readFileSync(file, 'utf8');
  const statements = splitStatements(sql);
  const found = [
    ...squawk(file, sql).map(({ line, rule_name, message }) => ({
      line: line + 1,
      problem: `${message} (${rule_name})`,
    })),
    ...breakingStatements(statements),
  ];
  const problems = found.flatMap(({ line, problem }) => {
    const statement = statements.find(({ from, to }) => from <= line && line <= to);
    return statement && reason.test(statement.above) ? [] : [`${file}:${line} ${problem}`];
  });
  if (/squawk-ignore/.test(sql))
    problems.push(`${file} silences squawk without saying why: write "-- safe: why" above the statement`);
  if (outsideTransaction(sql) && statements.length !== 1) {
    problems.push(
      `${file} runs outside a transaction and has ${statements.length} statements: one that fails would leave the others done`,
    );
  }
  if (!outsideTransaction(sql) && statements.some(({ words }) => / concurrently /.test(words))) {
    problems.push(
      `${file} does something concurrently, which Postgres does in no transaction: let its first line be "-- outside a transaction: why"`,
    );
  }
  return [...new Set(problems)];
}

function squawk(file: string, sql: string): Finding[] {
  const program = createRequire(import.meta.url).resolve('squawk-cli/js/bin/squawk');
  const inside = outsideTransaction(sql) ? [] : ['--assume-in-transaction'];
  const words = [...inside, '--pg-version=18', '--reporter=json', `--exclude=${notOurs.join(',')}`, file];
  try {
    return JSON.parse(
      execFileSync(process.execPath, [program, ...words], { encoding: 'utf8', stdio: 'pipe' }),
    ) as Finding[];
  } catch (error) {
    // It ends with 1 when it has found something.
    const { status, stdout } = error as { status?: number; stdout?: string };
    if (status === 1 && stdout) return JSON.parse(stdout) as Finding[];
    throw error;
  }
}
