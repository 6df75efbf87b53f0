import type { ReactNode } from 'react';
import { cx } from './cx.ts';

interface EmptyStateProps {
  icon?: ReactNode;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
  /** The heading's level on its page. */
  level?: 1 | 2 | 3;
  className?: string;
}

/** Nothing here yet, or nothing to show: what it means and what to do next. */
export function EmptyState({ icon, title, children, action, level = 2, className }: EmptyStateProps) {
  const Heading = `h${level}` as const;
  return (
    <div className={cx('grid justify-items-center gap-4 px-6 py-12 text-center', className)}>
      {icon ? (
        <div className="grid size-11 place-items-center rounded-lg border bg-deep text-muted [&_svg]:size-5">
          {icon}
        </div>
      ) : null}
      <div className="grid max-w-md gap-1">
        <Heading className={cx('font-semibold', level === 1 ? 'text-2xl' : 'text-base')}>{title}</Heading>
        {children ? <div className="text-base text-muted">{children}</div> : null}
      </div>
      {action}
    </div>
  );
}
