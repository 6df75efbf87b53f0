import type { ReactNode } from 'react';

/** The title of a page in the signed-in area, and what can be done with the whole of it. */
export function PageHeader({
  title,
  description,
  action,
}: {
  title: string;
  description?: string;
  action?: ReactNode;
}) {
  return (
    <header className="flex flex-wrap items-end justify-between gap-4 pb-6">
      <div className="grid gap-1">
        <h1 className="font-semibold text-2xl">{title}</h1>
        {description ? <p className="text-muted">{description}</p> : null}
      </div>
      {action}
    </header>
  );
}
