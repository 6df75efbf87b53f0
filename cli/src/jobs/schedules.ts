import { listSchedules, type ScheduleRow } from '@ballast/jobs/control';
import type { DatabaseCommand } from '../command.ts';
import { type Column, table } from '../output/table.ts';
import { fromNow, iso } from '../output/when.ts';

export const schedules: DatabaseCommand = {
  name: 'schedules',
  summary: 'Lists what comes round, with its next and its last slot.',
  details: 'The last slot is the latest whose job was added. A schedule that no living worker knows is not run.',
  prepare: () => async (db) => {
    const rows = await listSchedules(db);
    if (rows.length === 0) return { text: '', data: [], note: 'There are no schedules.', ok: true };
    const resting = rows.filter((row) => !row.known).map((row) => row.name);
    const data = rows.map((row) => ({ ...row, nextSlot: iso(row.nextSlot), lastSlot: iso(row.lastSlot) }));
    const note = `No living worker knows ${resting.join(', ')}. Either no worker runs, or the module is off: no job is added meanwhile.`;
    return { text: table(rows, columns(new Date())), data, ok: true, ...(resting.length > 0 ? { note } : {}) };
  },
};

const columns = (now: Date): Column<ScheduleRow>[] => [
  { title: 'SCHEDULE', value: (row) => row.name },
  { title: 'CRON', value: (row) => row.cron },
  { title: 'ZONE', value: (row) => row.zone },
  { title: 'NEXT', value: (row) => fromNow(row.nextSlot, now), right: true },
  { title: 'LAST', value: (row) => fromNow(row.lastSlot, now), right: true },
  { title: 'KNOWN', value: (row) => (row.known ? 'yes' : 'no') },
];
