import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { beginningOf, endProcesses, isAlive, knownProcess } from './processes.ts';
import { readRecord, removeRecord, takeFolder, writeRecord } from './run-record.ts';

let data: string;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'ballast-record-'));
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

/** Deaf to SIGTERM when asked: only SIGKILL ends it. */
function sleeper(deaf = false) {
  const code = `${deaf ? 'process.on("SIGTERM", () => {});' : ''} console.log('up'); setInterval(() => {}, 1000)`;
  const child = spawn(process.execPath, ['-e', code], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
  return new Promise<typeof child>((up) => child.stdout.once('data', () => up(child)));
}

test('a second start is told of the first', async () => {
  await takeFolder(data, 'http://localhost:3000');
  await expect(takeFolder(data, 'http://localhost:3000')).rejects.toThrow(
    `already runs here (process ${process.pid}): open http://localhost:3000`,
  );
});

test('what a killed start left is ended before the folder is taken', async () => {
  const record = await takeFolder(data, 'http://localhost:3000');
  const child = await sleeper();
  const left = knownProcess('web', child.pid ?? 0);
  writeRecord(data, { ...record, starter: { ...record.starter, began: 'long ago' }, children: [left] });
  const taken = await takeFolder(data, 'http://localhost:3000');
  expect(isAlive(left)).toBe(false);
  expect(taken.children).toEqual([]);
  expect(readRecord(data)?.starter.pid).toBe(process.pid);
});

test('half a record names nobody', async () => {
  writeFileSync(join(data, 'run.json'), '{"starter": {"pid"');
  await takeFolder(data, 'http://localhost:3000');
  removeRecord(data);
  expect(readRecord(data)).toBeUndefined();
});

test('a process that got the number of an earlier one is not taken for it', () => {
  const known = knownProcess('start', process.pid);
  expect(isAlive(known)).toBe(true);
  expect(isAlive({ ...known, began: `${known.began}1` })).toBe(false);
  expect(beginningOf(2 ** 22 + 1)).toBeUndefined();
});

test('a process that ignores the request to end is ended', async () => {
  const child = await sleeper(true);
  const known = knownProcess('deaf', child.pid ?? 0);
  await endProcesses([known], 300);
  // A busy machine may take longer over its end than anyone waits for it.
  await expect.poll(() => isAlive(known), { timeout: 30_000 }).toBe(false);
});
