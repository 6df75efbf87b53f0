import { closeSync, openSync, readSync, statSync } from 'node:fs';

/** The end of what was logged since `offset`: at most so many lines, and never the whole of a large file. */
export function lastLines(file: string, offset: number, count: number): string[] {
  return readFrom(file, Math.max(offset, sizeOf(file) - 64 * 1024))
    .trimEnd()
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-count)
    .map((line) => readable(line).text);
}

export function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

export function readFrom(file: string, offset: number): string {
  const length = sizeOf(file) - offset;
  if (length <= 0) return '';
  const buffer = Buffer.alloc(length);
  const descriptor = openSync(file, 'r');
  try {
    return buffer.subarray(0, readSync(descriptor, buffer, 0, length, offset)).toString('utf8');
  } finally {
    closeSync(descriptor);
  }
}

/** A line as a person reads it: a JSON log line becomes its level and message. */
export function readable(line: string): { text: string; isError: boolean } {
  const entry = parsed(line);
  if (!entry) return { text: line, isError: /^\s*(⨯|\S*Error\b)/.test(line) };
  const level = levelName(entry.level);
  const isError = level === 'error' || level === 'fatal';
  const reason = (entry.err as { message?: unknown } | undefined)?.message;
  const message = [entry.msg ?? entry.message, reason].filter((part) => typeof part === 'string' && part).join(': ');
  return { text: `${level} ${message || line}`, isError };
}

function parsed(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

function levelName(level: unknown): string {
  if (typeof level !== 'number') return String(level ?? 'info');
  return level >= 60 ? 'fatal' : level >= 50 ? 'error' : level >= 40 ? 'warn' : level >= 30 ? 'info' : 'debug';
}
