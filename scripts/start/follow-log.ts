import { readable, readFrom, sizeOf } from './log-lines.ts';

/**
 * Shows what a process adds to its log: everything, or only errors. Processes write to
 * their files themselves, so that they never break over a terminal that went away.
 */
export function followLog(name: string, file: string, all: boolean): () => void {
  let offset = sizeOf(file);
  let rest = '';
  const look = () => {
    const text = readFrom(file, offset);
    offset += Buffer.byteLength(text);
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines.filter((each) => each.trim() !== '')) {
      const { text: shown, isError } = readable(line);
      if (all || isError) process.stdout.write(`  ${name.padEnd(7)}│ ${shown}\n`);
    }
  };
  const timer = setInterval(look, 200);
  timer.unref();
  return () => {
    clearInterval(timer);
    look();
  };
}
