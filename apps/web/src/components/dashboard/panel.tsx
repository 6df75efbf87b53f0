import { Card } from '@ballast/ui/card';
import type { ReactNode } from 'react';

export function Panel({
  id,
  title,
  action,
  children,
}: {
  id: string;
  title: string;
  action?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section aria-labelledby={id}>
      <Card>
        <div className="flex min-h-13 items-center justify-between gap-4 border-b px-5">
          <h2 id={id} className="font-semibold">
            {title}
          </h2>
          {action}
        </div>
        {children}
      </Card>
    </section>
  );
}
