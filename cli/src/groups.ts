import { backup } from './backup/commands/backup.ts';
import { drillNow } from './backup/commands/drill.ts';
import { list as listBackups } from './backup/commands/list.ts';
import { restoreTo } from './backup/commands/restore.ts';
import { serve } from './backup/commands/serve.ts';
import { capacity } from './capacity/capacity.ts';
import type { Command } from './command.ts';
import { doctor } from './doctor/doctor.ts';
import { cancel } from './jobs/cancel.ts';
import { counts } from './jobs/counts.ts';
import { hold } from './jobs/hold.ts';
import { list } from './jobs/list.ts';
import { pause } from './jobs/pause.ts';
import { release } from './jobs/release.ts';
import { resume } from './jobs/resume.ts';
import { retry } from './jobs/retry.ts';
import { runNow } from './jobs/run.ts';
import { schedules } from './jobs/schedules.ts';
import { show } from './jobs/show.ts';
import { check } from './secrets/check.ts';
import { deliver } from './secrets/deliver.ts';
import { init } from './secrets/init.ts';
import { rotate } from './secrets/rotate.ts';

/** Everything that can be typed behind `ballast`. */
export const groups: Readonly<Record<string, readonly Command[]>> = {
  doctor: [doctor],
  jobs: [list, show, counts, schedules, retry, cancel, runNow, hold, release, pause, resume],
  backup: [backup, listBackups, drillNow, serve],
  restore: [restoreTo],
  capacity: [capacity],
  secrets: [init, check, rotate, deliver],
};
