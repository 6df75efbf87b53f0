import type { ComponentProps } from 'react';
import { cx } from './cx.ts';

/** 16 px on small screens: iOS zooms into anything less. */
const look =
  'w-full rounded-md border border-edge/70 bg-surface px-3 text-field text-ink shadow-card sm:text-base ' +
  'placeholder:text-faint transition-[border-color,box-shadow] duration-150 hover:border-edge ' +
  'focus:border-focus focus:outline-2 focus:outline-offset-0 focus:outline-focus/35 ' +
  'aria-invalid:border-danger aria-invalid:focus:outline-danger/30 read-only:bg-deep read-only:text-muted';

export function Input({ className, ...props }: ComponentProps<'input'>) {
  return <input className={cx(look, 'h-10', className)} {...props} />;
}

export function Textarea({ className, ...props }: ComponentProps<'textarea'>) {
  return <textarea className={cx(look, 'min-h-32 resize-y py-2', className)} {...props} />;
}
