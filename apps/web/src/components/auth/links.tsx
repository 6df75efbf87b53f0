import Link from 'next/link';
import type { ComponentProps } from 'react';

export const textLink =
  'font-medium text-primary underline decoration-primary/30 underline-offset-4 hover:decoration-primary rounded-sm';

/** “Already have an account? Sign in”, below a form. */
export function SwitchLink({ text, label, ...link }: { text?: string; label: string } & ComponentProps<typeof Link>) {
  return (
    <p className="pt-6 text-muted text-sm">
      {text ? `${text} ` : null}
      <Link {...link} className={textLink}>
        {label}
      </Link>
    </p>
  );
}
