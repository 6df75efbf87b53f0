'use client';
import { call, isSignedOut, type Problem } from '@ballast/ui/api/problem';
import { Button } from '@ballast/ui/button';
import { ProblemStatus } from '@ballast/ui/form/submit';
import { useTranslations } from 'next-intl';
import { lazy, Suspense, useRef, useState } from 'react';
import { accounts } from '../api.ts';

const load = () => import('@ballast/ui/dialog');
const ConfirmDialog = lazy(async () => ({ default: (await load()).ConfirmDialog }));

export function SignOutEverywhere() {
  const t = useTranslations('accounts.settings.sessions');
  const ui = useTranslations('ui');
  const button = useRef<HTMLButtonElement>(null);
  const [used, setUsed] = useState(false);
  const [open, setOpen] = useState(false);
  const [pending, setPending] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);

  async function confirm() {
    if (pending) return;
    setPending(true);
    setProblem(null);
    const result = await call(() => accounts['sign-out-everywhere'].$post());
    if (result.ok || isSignedOut(result.problem)) return location.assign('/sign-in?because=everywhere');
    setPending(false);
    setProblem(result.problem);
  }

  return (
    <>
      <Button
        ref={button}
        variant="danger"
        size="sm"
        aria-haspopup="dialog"
        onPointerEnter={load}
        onFocus={load}
        onClick={() => {
          setUsed(true);
          setOpen(true);
        }}
      >
        {t('everywhere')}
      </Button>
      {used ? (
        <Suspense fallback={null}>
          <ConfirmDialog
            opener={button}
            title={t('everywhereTitle')}
            description={t('everywhereText')}
            cancel={ui('cancel')}
            confirm={t('everywhere')}
            open={open}
            onOpenChange={setOpen}
            onConfirm={confirm}
            pending={pending}
          >
            {problem ? <ProblemStatus problem={problem} /> : null}
          </ConfirmDialog>
        </Suspense>
      ) : null}
    </>
  );
}
