import { openDatabase } from '@ballast/db';
import { type Answer, type DatabaseCommand, UsageError } from './command.ts';
import { dispatcherUrl } from './database/dispatcher-url.ts';
import { explainFailure } from './database/explain-failure.ts';
import { groups } from './groups.ts';
import { helpOfCommand, helpOfGroup, helpOfProgram } from './output/help.ts';
import { program } from './output/program.ts';
import { tellUnforeseen } from './output/unforeseen.ts';
import { type Parsed, parse, unknown } from './parse.ts';
import { codes, type Terminal } from './terminal.ts';

/** A machine that is very busy answers late, and is not away. */
const connectTimeoutSeconds = 10;

/** Runs one command line. Returns the exit code. */
export async function run(words: readonly string[], terminal: Terminal): Promise<number> {
  const [group = '--help', ...behind] = words;
  if (isHelp(group)) return say(terminal, helpOfProgram(groups), words.length === 0);
  const commands = groups[group];
  if (!commands) return refuse(terminal, unknown('command', group, Object.keys(groups)), `${program} --help`);
  const own = commands.find(({ name }) => name === '');
  const [verb = own ? '' : '--help'] = behind;
  if (isHelp(verb) && commands.length > 1) return say(terminal, helpOfGroup(group, commands), words.length === 1);
  // What the group itself does takes options and no verb.
  const acts = own !== undefined && (verb === '' || verb.startsWith('-'));
  const command = acts ? own : commands.find(({ name }) => name === verb);
  const rest = acts ? behind : behind.slice(1);
  const help = `${program} ${[group, command?.name].filter(Boolean).join(' ')} --help`;
  try {
    if (!command) {
      throw new UsageError(
        unknown(
          'command',
          verb,
          commands.flatMap(({ name }) => name || []),
        ),
      );
    }
    const parsed = parse(command, rest);
    if (parsed.help) return say(terminal, helpOfCommand(group, command), false);
    if ('act' in command) return tell(await command.act(parsed, terminal), parsed, terminal);
    return await ask(command.prepare(parsed), parsed, terminal);
  } catch (error) {
    if (error instanceof UsageError) return refuse(terminal, error.message, help);
    terminal.err(tellUnforeseen(error));
    return codes.unforeseen;
  }
}

async function ask(work: ReturnType<DatabaseCommand['prepare']>, parsed: Parsed, terminal: Terminal): Promise<number> {
  const found = dispatcherUrl(terminal);
  if ('problem' in found) {
    terminal.err(found.problem);
    return codes.unreachable;
  }
  const db = openDatabase({
    url: found.url,
    applicationName: 'ballast-cli',
    maxConnections: 2,
    connectTimeoutSeconds,
  });
  try {
    return tell(await work(db), parsed, terminal);
  } catch (error) {
    const sentence = explainFailure(error, found);
    if (sentence === null) throw error;
    terminal.err(sentence);
    return codes.unreachable;
  } finally {
    await db.close();
  }
}

function tell({ text, data, note, ok }: Answer, { json }: Parsed, terminal: Terminal): number {
  if (json) terminal.out(JSON.stringify(data, null, 2));
  else if (text) terminal.out(text);
  if (note) terminal.err(note);
  return ok ? codes.done : codes.nothing;
}

const isHelp = (word: string) => word === '--help' || word === '-h' || word === 'help';

/** Help that was asked for is an answer; help for want of a command is none. */
function say(terminal: Terminal, help: string, unasked: boolean): number {
  if (!unasked) terminal.out(help);
  else terminal.err(help);
  return unasked ? codes.usage : codes.done;
}

function refuse(terminal: Terminal, sentence: string, help: string): number {
  terminal.err(`${sentence}\nSee ${help}`);
  return codes.usage;
}
