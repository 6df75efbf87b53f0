import { closestName, type ScheduleDefinition } from '@ballast/kernel';
import { Cron } from 'croner';

type Rhythm = Pick<ScheduleDefinition, 'cron' | 'zone'>;

/** The most slots that one schedule may catch up at once. */
const maxCatchUp = 1_000;

/** The first slot after `after`, or null when the expression never comes round again. */
export function nextSlot(schedule: Rhythm, after: Date): Date | null {
  return cronOf(schedule).nextRun(after);
}

/** At most `most` slots from `from` to `to`, the latest of them, in order. Costs the same however many there are. */
export function latestSlots(schedule: Rhythm, from: Date, to: Date, most: number): Date[] {
  const justAfter = new Date(to.getTime() + 1);
  const latest = cronOf(schedule).previousRuns(most, justAfter);
  return latest.filter((slot) => slot >= from).reverse();
}

/** What is wrong with a schedule, each as the end of a sentence that names it. The generator asks, and every start. */
export function scheduleProblems(schedule: ScheduleDefinition): string[] {
  const { job, payload, catchUp } = schedule;
  const problems = rhythmProblems(schedule);
  const fits = job.payload.safeParse(payload);
  if (!fits.success) {
    const issues = fits.error.issues.map((issue) => `${issue.path.join('.') || 'payload'}: ${issue.message}`);
    problems.push(`its payload does not fit the job '${job.name}': ${issues.join('; ')}.`);
  }
  if (
    typeof catchUp === 'object' &&
    !(Number.isInteger(catchUp.all) && catchUp.all >= 1 && catchUp.all <= maxCatchUp)
  ) {
    problems.push(`catchUp.all must be a whole number from 1 to ${maxCatchUp}, not ${catchUp.all}.`);
  }
  return problems;
}

function rhythmProblems({ cron, zone }: Rhythm): string[] {
  if (!isZone(zone)) {
    const near = closestName(zone, Intl.supportedValuesOf('timeZone'));
    return [`its time zone '${zone}' is unknown${near ? `, did you mean '${near}'?` : '.'}`];
  }
  const expression = `its cron expression '${cron}'`;
  // Croner also reads dates and words such as @daily.
  if (!/^\S+( +\S+){4,5}$/.test(cron)) return [`${expression} must have five fields, or six with seconds in front.`];
  try {
    return nextSlot({ cron, zone }, new Date()) ? [] : [`${expression} never comes round.`];
  } catch (error) {
    return [`${expression} cannot be read: ${(error as Error).message.replace('CronPattern: ', '')}.`];
  }
}

function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

const cronOf = ({ cron, zone }: Rhythm) => new Cron(cron, { timezone: zone, mode: '5-or-6-parts' });
