import type { ReactNode } from 'react';
import { cx } from './cx.ts';

export function Card({ className, children }: { className?: string; children: ReactNode }) {
  return <div className={cx('rounded-lg border bg-surface shadow-card', className)}>{children}</div>;
}

/** A named part of a page: its heading at the left on wide screens, its content in a card beside it. */
export function Section({
  id,
  title,
  description,
  children,
}: {
  id: string;
  title: string;
  description?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section
      aria-labelledby={`${id}-title`}
      id={id}
      className="grid scroll-mt-16 gap-x-12 gap-y-4 py-8 lg:scroll-mt-0 lg:grid-cols-[16rem_1fr]"
    >
      <div className="grid content-start gap-1">
        <h2 id={`${id}-title`} className="font-semibold text-lg">
          {title}
        </h2>
        {description ? <p className="text-muted text-sm">{description}</p> : null}
      </div>
      <Card className="min-w-0">{children}</Card>
    </section>
  );
}
