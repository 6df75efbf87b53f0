'use client';
import type { Problem } from '@ballast/ui/api/problem';
import { FormProblem, SubmitButton } from '@ballast/ui/form/submit';
import { Status, StatusRegion } from '@ballast/ui/status';
import type { ReactNode } from 'react';

/** The frame that the forms of this page share: fields, what came of it, and the button in a foot of its own. */
export function FormBody({
  children,
  problem,
  done,
  pending,
  submit,
}: {
  children: ReactNode;
  problem: Problem | null;
  done: string | null;
  pending: boolean;
  submit: string;
}) {
  return (
    <>
      <div className="grid max-w-lg gap-5 p-5">
        {children}
        <FormProblem problem={problem} />
        <StatusRegion>{done ? <Status tone="success" message={done} /> : null}</StatusRegion>
      </div>
      <div className="flex justify-end border-t px-5 py-3">
        <SubmitButton variant="secondary" size="sm" pending={pending}>
          {submit}
        </SubmitButton>
      </div>
    </>
  );
}
