import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { lastLines, readable } from './log-lines.ts';

const folder = mkdtempSync(join(tmpdir(), 'ballast-log-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a JSON line becomes its level and message, with the reason of its error', () => {
  const line = JSON.stringify({ level: 50, time: 1, msg: 'request failed', err: { message: 'no route to host' } });
  expect(readable(line)).toEqual({ text: 'error request failed: no route to host', isError: true });
  expect(readable('{"level":"info","msg":"listening"}')).toEqual({ text: 'info listening', isError: false });
});

test('other lines stay as they are; a thrown error is one', () => {
  expect(readable('{ not json')).toEqual({ text: '{ not json', isError: false });
  expect(readable('TypeError: x is not a function').isError).toBe(true);
  expect(readable(' ⨯ Failed to load').isError).toBe(true);
});

test('the end of a log begins with this run, and leaves out empty lines', () => {
  const file = join(folder, 'a.log');
  writeFileSync(file, 'earlier\none\n\ntwo\nthree\n');
  expect(lastLines(file, 8, 2)).toEqual(['two', 'three']);
  expect(lastLines(file, 8, 9)).toEqual(['one', 'two', 'three']);
  expect(lastLines(join(folder, 'none.log'), 0, 5)).toEqual([]);
});
