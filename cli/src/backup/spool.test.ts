import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { pushSpool, spooled } from './spool.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ballast-spool-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

it('says of a segment that waited for long what it holds, and not when it was pushed', async () => {
  const [spool, programs] = [join(folder, 'spool'), join(folder, 'programs')];
  mkdirSync(spool);
  mkdirSync(programs);
  writeFileSync(join(programs, 'pgbackrest'), '#!/bin/sh\nexit 0\n', { mode: 0o755 });
  const ended = new Date('2026-11-24T08:30:00Z');
  const segment = join(spool, '000000010000000000000007');
  writeFileSync(segment, 'wal');
  utimesSync(segment, ended, ended);
  const said: Date[] = [];
  const settings = { spool, pgbackrest: {}, path: `${programs}:${process.env.PATH}` };
  await pushSpool(settings, (until) => said.push(until));
  expect(said).toEqual([ended]);
  expect(spooled(settings)).toEqual([]);
});
