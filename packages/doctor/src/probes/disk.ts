import { statfs } from 'node:fs/promises';
import type { Database } from '@ballast/db';
import { inContainers } from '../commands.ts';
import { type Finding, finding } from '../finding.ts';
import type { Probe } from '../probe.ts';
import type { View } from '../view.ts';

const leastShare = 0.05;
const leastBytes = 1_000_000_000;

/** Older than this the backups' service is gone, which is said of it, and what it saw is no news. */
const seenSeconds = 300;

export const disk: Probe = {
  name: 'disks have room',
  async look(view) {
    const folders = await Promise.all(view.subject.folders.map(examineFolder));
    const full = await examinePostgres(view);
    return [...folders.flat(), ...full, ...(full.length > 0 ? [] : await examineData(view))];
  },
};

interface Room {
  free: number;
  all: number;
}

async function examineFolder(folder: string): Promise<Finding[]> {
  const { bavail, blocks, bsize } = await statfs(folder);
  return judge(folder, { free: bavail * bsize, all: blocks * bsize });
}

function judge(place: string, { free, all }: Room): Finding[] {
  if (free > leastBytes || free > all * leastShare) return [];
  return [
    finding('disk.filling', {
      cause: `The disk of ${place} is almost full.`,
      evidence: [`${Math.round(free / 1_000_000)} MB of ${Math.round(all / 1_000_000)} MB are free`],
      fix: 'Free it, or give it more room. When it is full, nothing can be written.',
    }),
  ];
}

/** On servers Postgres' disk is in nobody's sight but of the service that takes backups, which writes down what it sees. */
async function examineData({ db: open }: View): Promise<Finding[]> {
  const db = await open();
  const [room] = await db.sql<Room[]>`
    select data_free_bytes::float8 as free, data_bytes::float8 as all from ballast.backup_state
    where seen_at > now() - ${seenSeconds} * interval '1 second' and data_free_bytes is not null`;
  return room ? judge('Postgres', room) : [];
}

/** A sort that does not fit into its memory writes a file: it fails when the disk is full, and changes nothing. */
async function examinePostgres({ db: open, subject }: View): Promise<Finding[]> {
  const db: Database = await open();
  try {
    await db.sql.begin(async (sql) => {
      await sql`set local work_mem = '64kB'`;
      await sql`select count(*) from (select md5(n::text) from generate_series(1, 5000) n order by 1) spilled`;
    });
    return [];
  } catch (error) {
    if ((error as { code?: string }).code !== '53100') throw error;
    return [
      finding('database.disk_full', {
        cause: 'The disk of Postgres is full: what only reads is answered, what writes is not.',
        evidence: [(error as Error).message],
        fix: inContainers(subject.place)
          ? 'docker system df, then give the volume postgres more room'
          : 'Give it more room.',
      }),
    ];
  }
}
