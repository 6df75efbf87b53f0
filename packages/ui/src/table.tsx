import type { ComponentProps, ReactNode } from 'react';
import { cx } from './cx.ts';

/** Rows to compare. On small screens it scrolls inside itself, reachable by keyboard, and never the page. */
export function Table({ caption, children }: { caption: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable without a mouse.
    <section aria-label={caption} tabIndex={0} className="overflow-x-auto">
      <table className="w-full border-collapse text-left text-sm">
        <caption className="sr-only">{caption}</caption>
        {children}
      </table>
    </section>
  );
}

export function HeaderCell({ className, ...props }: ComponentProps<'th'>) {
  return (
    <th
      scope="col"
      {...props}
      className={cx('whitespace-nowrap border-b px-5 py-2.5 font-medium text-muted', className)}
    />
  );
}

export function Cell({ className, ...props }: ComponentProps<'td'>) {
  return <td {...props} className={cx('border-b px-5 py-3 align-top', className)} />;
}
