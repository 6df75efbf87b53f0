import { parseArgs } from 'node:util';
import { closestName } from '@ballast/kernel';
import { type Command, type Given, UsageError } from './command.ts';

export interface Parsed extends Given {
  json: boolean;
  help: boolean;
}

/** Reads the words behind a verb by what the verb takes. */
export function parse(command: Command, words: readonly string[]): Parsed {
  const { values, positionals } = read(words, command.options ?? {});
  const { json = false, help = false, ...typed } = values as { json?: boolean; help?: boolean };
  const options = Object.fromEntries(Object.entries(typed).map(([name, value]) => [name, String(value)]));
  if (help) return { json, help, argument: undefined, options: {} };
  const most = command.argument ? 1 : 0;
  const [argument, extra] = most === 0 ? [undefined, positionals[0]] : positionals;
  if (extra !== undefined) {
    throw new UsageError(
      `"${extra}" is one word too many: ${command.name || 'this'} takes ${command.argument?.name ?? 'none'}.`,
    );
  }
  if (argument === undefined && command.argument && !command.argument.optional) {
    throw new UsageError(`${command.argument.name} is missing: ${command.argument.description}.`);
  }
  return { json, help, argument, options };
}

function read(words: readonly string[], known: NonNullable<Command['options']>) {
  const options = {
    json: { type: 'boolean' as const },
    help: { type: 'boolean' as const, short: 'h' },
    ...Object.fromEntries(
      Object.entries(known).map(([name, { value }]) => [
        name,
        { type: value ? ('string' as const) : ('boolean' as const) },
      ]),
    ),
  };
  try {
    return parseArgs({ args: [...words], options, allowPositionals: true });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const option = /'(?:-\w, )?(-[^'\s]+)/.exec(message)?.[1] ?? 'An option';
    if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') throw new UsageError(unknown('option', option, Object.keys(options)));
    const alone = ['json', 'help', ...Object.keys(known).filter((name) => !known[name]?.value)];
    if (alone.includes(option.slice(2))) throw new UsageError(`${option} takes no value.`);
    throw new UsageError(`${option} needs a value.`);
  }
}

/** "unknown option --stat, did you mean --state?" */
export function unknown(kind: 'command' | 'option', typed: string, known: readonly string[]): string {
  const dashes = kind === 'option' ? '--' : '';
  const near = closestName(typed.replace(/^-+/, ''), known);
  if (near) return `unknown ${kind} ${typed}, did you mean ${dashes}${near}?`;
  return `unknown ${kind} ${typed}; known: ${known.map((name) => dashes + name).join(', ')}.`;
}
