import type { Command, Option } from '../command.ts';
import { program } from './program.ts';

const exitCodes =
  'Exit codes: 0 done, 1 nothing found or changed, 2 not understood, 3 the database could not be asked, 4 a bug, or the system refused.';
const json = program.startsWith('npm') ? " With --json, npm run -s keeps npm's own lines out of the output." : '';

export function helpOfProgram(groups: Readonly<Record<string, readonly Command[]>>): string {
  const lines = Object.entries(groups).map(([name, commands]) => `  ${program} ${name} ${names(commands)}`.trimEnd());
  return [
    'Ballast for operators.',
    '',
    ...lines,
    '',
    `Each takes --help and --json.${json}`,
    'The database is the one of DATABASE_DISPATCHER_URL, or else that of `npm start` in this checkout.',
    exitCodes,
  ].join('\n');
}

export function helpOfGroup(group: string, commands: readonly Command[]): string {
  const rows = commands.map((command) => [usage(command) || group, command.summary] as const);
  return [`${program} ${group} …`, '', ...aligned(rows), '', `Each takes --help and --json.`, exitCodes].join('\n');
}

export function helpOfCommand(group: string, command: Command): string {
  const rows = [
    ...(command.argument ? [[command.argument.name, command.argument.description] as const] : []),
    ...Object.entries(command.options ?? {}).map(([name, option]) => [flag(name, option), option.description] as const),
    ['--json', 'the answer as JSON'] as const,
    ['--help', 'this'] as const,
  ];
  return [
    `${program} ${group} ${usage(command)}`.trimEnd(),
    '',
    command.summary,
    ...(command.details ? [command.details] : []),
    '',
    ...aligned(rows),
    '',
    exitCodes,
  ].join('\n');
}

function usage({ name, argument, options = {} }: Command): string {
  const flags = Object.entries(options).map(([option, told]) => flag(option, told));
  if (argument?.optional) return `${name} ${[argument.name, ...flags].join(' | ')}`;
  const words = [name, ...(argument ? [argument.name] : []), ...flags.map((words) => `[${words}]`)];
  return words.filter((word) => word !== '').join(' ');
}

const flag = (name: string, { value }: Option) => `--${name}${value ? ` ${value}` : ''}`;

/** In brackets when the group does something by itself. */
function names(commands: readonly Command[]): string {
  const verbs = commands.flatMap(({ name }) => name || []).join(' | ');
  return verbs && commands.some(({ name }) => name === '') ? `[${verbs}]` : verbs;
}

function aligned(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  // A line of usage that is longer than most stands alone, so that it does not push the others aside.
  const column = Math.min(width, 24);
  return rows.flatMap(([left, right]) =>
    left.length > column ? [`  ${left}`, `  ${' '.repeat(column)}  ${right}`] : [`  ${left.padEnd(column)}  ${right}`],
  );
}
