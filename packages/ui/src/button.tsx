import type { ComponentProps } from 'react';
import { cx } from './cx.ts';
import { Spinner } from './spinner.tsx';

type Variant = 'primary' | 'secondary' | 'ghost' | 'danger';
type Size = 'sm' | 'md' | 'lg';

const base =
  'relative inline-flex shrink-0 select-none items-center justify-center gap-2 whitespace-nowrap rounded-md font-medium ' +
  'transition-[background-color,border-color,color,box-shadow] duration-150 aria-disabled:cursor-default';

const variants: Record<Variant, string> = {
  primary: 'bg-primary text-on-primary hover:bg-primary-hover shadow-card',
  secondary: 'border border-line bg-surface text-ink shadow-card hover:bg-hover',
  ghost: 'text-muted hover:bg-hover hover:text-ink',
  danger: 'border border-line bg-surface text-danger shadow-card hover:border-danger/40 hover:bg-danger-soft',
};

const sizes: Record<Size, string> = {
  sm: 'h-8 px-3 text-sm',
  md: 'h-10 px-4 text-base',
  lg: 'h-12 px-5 text-lg',
};

interface Look {
  variant?: Variant;
  size?: Size;
}

/** The look of a button for what is a link: `<Link className={buttonClass()}>`. */
export function buttonClass({ variant = 'primary', size = 'md' }: Look = {}, className?: string): string {
  return cx(base, variants[variant], sizes[size], className);
}

interface ButtonProps extends ComponentProps<'button'>, Look {
  /** Work is under way: keeps its size and its focus, shows a spinner, and says so to a screen reader. */
  pending?: boolean;
}

export function Button({
  variant,
  size,
  pending = false,
  className,
  children,
  type = 'button',
  ...props
}: ButtonProps) {
  const look = buttonClass({ ...(variant && { variant }), ...(size && { size }) }, className);
  return (
    <button
      type={type}
      className={look}
      {...props}
      aria-disabled={pending || undefined}
      aria-busy={pending || undefined}
    >
      {pending && <Spinner className="absolute" />}
      <span className={cx('inline-flex items-center gap-2', pending && 'opacity-0')}>{children}</span>
    </button>
  );
}
