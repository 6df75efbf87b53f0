import type { ReactNode } from 'react';

/** What a control inside a field must carry to belong to its label, hint and error. */
export interface ControlProps {
  id: string;
  name: string;
  'aria-describedby'?: string;
  'aria-invalid'?: true;
}

interface FieldProps {
  /** Unique on the page; also the field's place in a problem document. */
  name: string;
  label: string;
  /** Distinguishes two forms on one page that have a field of one name. */
  form?: string;
  hint?: ReactNode;
  error?: string | undefined;
  /** At the right of the label, such as a link to the forgotten password. */
  aside?: ReactNode;
  children: (control: ControlProps) => ReactNode;
}

/**
 * A label, a control, and a hint that gives way to an error in the same place. The error's element is always there: screen readers announce what changes, not what appears.
 */
export function Field({ name, label, form = 'form', hint, error, aside, children }: FieldProps) {
  const id = `${form}-${name}`;
  const hintId = `${id}-hint`;
  const errorId = `${id}-error`;
  const described = error ? errorId : hint ? hintId : undefined;
  return (
    <div className="grid gap-1.5">
      <div className="flex items-baseline justify-between gap-4">
        <label htmlFor={id} className="font-medium text-sm">
          {label}
        </label>
        {aside}
      </div>
      {children({
        id,
        name,
        ...(described && { 'aria-describedby': described }),
        ...(error && { 'aria-invalid': true as const }),
      })}
      {hint && !error ? (
        <p id={hintId} className="text-muted text-sm">
          {hint}
        </p>
      ) : null}
      <p id={errorId} aria-live="polite" className="text-danger text-sm empty:-mt-1.5">
        {error}
      </p>
    </div>
  );
}
