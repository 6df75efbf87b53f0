const units = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
  ['s', 1],
] as const;

/** "3 min": the largest unit that fits. */
export function duration(seconds: number): string {
  const [name, size] = units.find(([, length]) => seconds >= length) ?? ['s', 1];
  return `${Math.floor(seconds / size)} ${name}`;
}

/** A moment as seen from `now`: "3 min ago", "in 2 h". */
export function fromNow(moment: string | null, now: Date): string | null {
  if (moment === null) return null;
  const seconds = (new Date(moment).getTime() - now.getTime()) / 1_000;
  if (Number.isNaN(seconds)) return moment;
  if (Math.abs(seconds) < 1) return 'now';
  return seconds > 0 ? `in ${duration(seconds)}` : `${duration(-seconds)} ago`;
}

/** As every program reads it; Postgres writes moments its own way. */
export function iso(moment: string | null): string | null {
  if (moment === null) return null;
  const time = new Date(moment);
  return Number.isNaN(time.getTime()) ? moment : time.toISOString();
}
