import { CircleAlert, CircleCheck, Info } from 'lucide-react';
import type { ReactNode } from 'react';
import { cx } from './cx.ts';

const tones = {
  info: { look: 'bg-primary-soft text-ink', mark: 'text-primary', Icon: Info },
  success: { look: 'bg-success-soft text-ink', mark: 'text-success', Icon: CircleCheck },
  danger: { look: 'bg-danger-soft text-ink', mark: 'text-danger', Icon: CircleAlert },
} as const;

interface StatusProps {
  tone?: keyof typeof tones;
  /** Smaller, below the sentence: a request id, a way out. */
  children?: ReactNode;
  message: ReactNode;
  className?: string;
}

/** Says in place what happened. What failed interrupts a screen reader; put the rest into a `StatusRegion`. */
export function Status({ tone = 'info', message, children, className }: StatusProps) {
  const { look, mark, Icon } = tones[tone];
  return (
    <div
      role={tone === 'danger' ? 'alert' : undefined}
      className={cx('flex gap-2.5 rounded-md px-3 py-2.5 text-sm', look, className)}
    >
      <Icon aria-hidden="true" className={cx('mt-0.5 size-4 shrink-0', mark)} />
      <div className="grid min-w-0 gap-1">
        <p>{message}</p>
        {children}
      </div>
    </div>
  );
}

/** Where a status may appear: screen readers announce what changes in a region that they already know. */
export function StatusRegion({ children }: { children: ReactNode }) {
  return (
    <div role="status" className={children ? undefined : 'absolute'}>
      {children}
    </div>
  );
}
