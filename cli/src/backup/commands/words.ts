import { UsageError } from '../../command.ts';

const units = ['B', 'kB', 'MB', 'GB', 'TB'];

/** `31.4 MB` */
export function bytes(count: number): string {
  const step = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, count)) / 3));
  const value = count / 1_000 ** step;
  return `${step === 0 ? value : value.toFixed(1)} ${units[step]}`;
}

/** A moment whose zone is said: half of all wrong restores are an hour off. */
export function momentOf(text: string): Date | 'latest' {
  if (text === 'latest') return 'latest';
  const said = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d(:?\d\d)?)$/.test(text);
  const moment = new Date(text.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00'));
  if (!said || Number.isNaN(moment.getTime())) {
    throw new UsageError(
      `--to takes latest, or a moment with its time zone such as ${new Date().toISOString().slice(0, 19)}Z, and "${text}" is neither.`,
    );
  }
  if (moment.getTime() > Date.now()) throw new UsageError(`--to takes a moment that has passed, and ${text} has not.`);
  return moment;
}
