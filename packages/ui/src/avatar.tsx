import { cx } from './cx.ts';

/** A person's or organisation's initials; their name stands beside it, so it is decoration. */
export function Avatar({ name, className }: { name: string; className?: string }) {
  return (
    <span
      aria-hidden="true"
      className={cx(
        'grid size-8 shrink-0 select-none place-items-center rounded-md bg-primary-soft font-semibold text-primary text-xs',
        className,
      )}
    >
      {initialsOf(name)}
    </span>
  );
}

/** The first letters of the first and last word, by characters as people see them. */
export function initialsOf(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined].map((word) => (word ? [...word][0] : ''));
  return letters.join('').toLocaleUpperCase() || '·';
}
