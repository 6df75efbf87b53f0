import { cx } from './cx.ts';

/** The mark: a hull, its waterline, and the red lead below it. */
export function Mark({ className }: { className?: string }) {
  return (
    <svg aria-hidden="true" viewBox="0 0 24 24" className={cx('size-6', className)} fill="none">
      <path d="M1.5 3.5h21c-.2 2.700-.6 5-1.200 7H2.700c-.6-2-1-4.300-1.200-7Z" fill="currentColor" />
      <path
        d="M3.500 12.900h17c-1.700 4.300-4.600 7-8.500 8.600-3.900-1.600-6.800-4.300-8.500-8.600Z"
        className="fill-lead"
      />
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
