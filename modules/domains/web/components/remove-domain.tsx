'use client';
import { call, type Problem } from '@ballast/ui/api/problem';
import { Button } from '@ballast/ui/button';
import { ConfirmDialog } from '@ballast/ui/dialog';
import { ProblemStatus } from '@ballast/ui/form/submit';
import { useTranslations } from 'next-intl';
import { useRef, useState } from 'react';
import { type Domain, domains } from '../api.ts';

export function RemoveDomain({ domain, onRemoved }: { domain: Domain; onRemoved: () => void }) {
  const t = useTranslations('domains.remove');
  const opener = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  const [pending, setPending] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);

  async function remove() {
    if (pending) return;
    setPending(true);
    setProblem(null);
    const result = await call(() => domains[':id'].$delete({ param: { id: domain.id } }));
    setPending(false);
    // Removed elsewhere in the meantime is what was wanted, too.
    if (!result.ok && result.problem.status !== 404) return setProblem(result.problem);
    setOpen(false);
    onRemoved();
  }

  return (
    <>
      <Button
        ref={opener}
        variant="danger"
        size="sm"
        aria-label={t('label', { name: domain.name })}
        onClick={() => setOpen(true)}
      >
        {t('button')}
      </Button>
      <ConfirmDialog
        opener={opener}
        title={t('title', { name: domain.name })}
        description={t('description')}
        cancel={t('cancel')}
        confirm={t('button')}
        open={open}
        onOpenChange={setOpen}
        onConfirm={remove}
        pending={pending}
      >
        {problem ? <ProblemStatus problem={problem} /> : null}
      </ConfirmDialog>
    </>
  );
}
