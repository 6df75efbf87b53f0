'use client';
import { type ReactNode, useEffect, useRef } from 'react';

/**
 * The title of a step. When a step replaces another without a new page, its heading takes the focus, so
 * that a screen reader says where one is now.
 */
export function Heading({ title, children, focus = false }: { title: string; children?: ReactNode; focus?: boolean }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (focus) heading.current?.focus();
  }, [focus]);
  return (
    <div className="grid gap-1.5 pb-7">
      <h1 ref={heading} tabIndex={-1} className="font-semibold text-2xl">
        {title}
      </h1>
      {children ? <div className="grid gap-2 text-muted">{children}</div> : null}
    </div>
  );
}
