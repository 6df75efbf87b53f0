import { diskFull } from '../start-problem.ts';

interface Place {
  directory: string;
  port: number;
  log: string;
}

/** One sentence for why Postgres did not start, from what it said. */
export function explainPostgres(output: string, place: Place): string {
  if (/No space left on device|disk quota exceeded/i.test(output)) return diskFull(place.directory);
  if (/Address already in use|could not bind/i.test(output)) {
    return `Port ${place.port}, wanted for Postgres, is in use. Choose another in POSTGRES_PORT, or leave it unset for any free one.`;
  }
  if (/wrong ownership|Permission denied|invalid permissions/i.test(output)) {
    return (
      `Postgres may not use ${place.directory}: the folder belongs to another user, or others may read it. ` +
      `Give it back (sudo chown -R "$(id -u)" ${place.directory}; chmod 700 ${place.directory}). Log: ${place.log}`
    );
  }
  const other = output.match(/Is another postmaster \(PID (\d+)\) running/);
  if (other) {
    return `Another Postgres (process ${other[1]}) uses ${place.directory}. Stop it (kill -INT ${other[1]}), then start again.`;
  }
  const reason = output.match(/(?:PANIC|FATAL|initdb: error):\s*(.+)/)?.[1];
  return corrupt(place, reason ?? 'Postgres gave no reason');
}

/** Never deleted: it may hold the only copy of somebody's work. */
export function corrupt(place: Omit<Place, 'port'>, reason: string): string {
  return (
    `Postgres cannot use the data in ${place.directory} (${reason}). Nothing was changed. ` +
    `To begin afresh, move it away: mv ${place.directory} ${place.directory}.broken and start again. Log: ${place.log}`
  );
}
