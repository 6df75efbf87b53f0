'use client';
import { useTranslations } from 'next-intl';
import { type ComponentProps, useSyncExternalStore } from 'react';
import { isUnexpected, type Problem } from '../api/problem.ts';
import { problemMessage, type Translate } from '../api/problem-message.ts';
import { Button } from '../button.tsx';
import { Status } from '../status.tsx';

const never = () => () => {};

/**
 * Disabled until the page is interactive, without looking so: a form that is sent before its code has
 * loaded would be lost, and a disabled submit button also holds back the Enter key.
 */
export function SubmitButton(props: ComponentProps<typeof Button>) {
  const interactive = useSyncExternalStore(
    never,
    () => true,
    () => false,
  );
  return <Button {...props} type="submit" disabled={!interactive} />;
}

/** What a form could not do, above its button. */
export function FormProblem({ problem }: { problem: Problem | null }) {
  if (!problem) return null;
  return <ProblemStatus problem={problem} />;
}

export function ProblemStatus({ problem }: { problem: Problem }) {
  const t = useTranslations() as unknown as Translate;
  return (
    <Status tone="danger" message={problemMessage(t, problem)}>
      {isUnexpected(problem) && problem.requestId ? (
        <p className="break-all font-mono text-muted text-xs">{t('ui.requestId', { id: problem.requestId })}</p>
      ) : null}
    </Status>
  );
}
