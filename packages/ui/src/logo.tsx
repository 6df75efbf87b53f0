import { cx } from './cx.ts';

/** The mark: a hull in cross-section, afloat, with its ballast low. */
export function Mark({ className }: { className?: string }) {
  return (
    <svg aria-hidden="true" viewBox="0 0 24 24" className={cx('size-6', className)} fill="none">
      <path
        d="M5.200 13.500h13.600c-.7 3.900-3.300 6.500-6.800 6.500s-6.100-2.600-6.800-6.500Z"
        className="fill-lead"
      />
      <path
        d="M4 3.500v7.200C4 16.400 7.500 20.500 12 20.500s8-4.100 8-9.800V3.500"
        stroke="currentColor"
        strokeWidth="2"
        strokeLinecap="round"
      />
      <path d="M.8 9h1.500M21.700 9h1.500" stroke="currentColor" strokeWidth="2" strokeLinecap="round" />
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
