import { useFormatter } from 'next-intl';

/**
 * How long ago, with the exact moment behind it. `now` comes from whoever renders the page, so that the
 * server and the browser write the same words.
 */
export function RelativeTime({ date, now }: { date: string; now: number }) {
  const format = useFormatter();
  const moment = new Date(date);
  const exact = format.dateTime(moment, { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' });
  return (
    <time dateTime={date} title={`${exact} UTC`}>
      {format.relativeTime(moment, Math.max(now, moment.getTime()))}
    </time>
  );
}
