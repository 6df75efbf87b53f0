import { cx } from './cx.ts';

/** The mark: a hull seen from the bow, afloat, with its ballast low and its keel below. */
export function Mark({ className }: { className?: string }) {
  return (
    <svg aria-hidden="true" viewBox="0 0 24 24" className={cx('size-6', className)} fill="none">
      <path d="M3 5.5h18c0 7.2-3.2 11.5-9 13.2C6.200 17 3 12.700 3 5.500Z" fill="currentColor" />
      <path
        d="M4.700 12.200h14.600c-1.500 3.200-3.900 5.400-7.300 6.500-3.400-1.100-5.800-3.300-7.300-6.500Z"
        className="fill-lead"
      />
      <path d="M12 18v4.300" stroke="currentColor" strokeWidth="2" strokeLinecap="round" />
    </svg>
  );
}

export function Wordmark({ name, className }: { name: string; className?: string }) {
  return (
    <span className={cx('inline-flex items-center gap-2 font-semibold text-ink text-lg tracking-[-0.02em]', className)}>
      <Mark />
      {name}
    </span>
  );
}
