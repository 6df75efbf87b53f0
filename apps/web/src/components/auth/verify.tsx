'use client';
import { call, type Problem, type Result } from '@ballast/ui/api/problem';
import { Button, buttonClass } from '@ballast/ui/button';
import { ProblemStatus } from '@ballast/ui/form/submit';
import { Spinner } from '@ballast/ui/spinner';
import Link from 'next/link';
import { useTranslations } from 'next-intl';
import { useEffect, useState } from 'react';
import { accounts } from '../../api/accounts.ts';
import { Heading } from './heading.tsx';
import { pendingEmail } from './pending-email.ts';
import { ResendForm } from './resend-form.tsx';

type State = 'working' | 'done' | 'expired' | 'used' | 'invalid' | Problem;

/** One POST per token and page, however often React mounts this: a second one would find the link used. */
const started = new Map<string, Promise<Result<unknown>>>();

function verifyOnce(token: string): Promise<Result<unknown>> {
  const running = started.get(token) ?? call(() => accounts['verify-email'].$post({ json: { token } }));
  started.set(token, running);
  return running;
}

function stateOf(result: Result<unknown>): State {
  if (result.ok) return 'done';
  const known = /^accounts\.link_(expired|used|invalid)$/.exec(result.problem.code)?.[1];
  return (known as 'expired' | 'used' | 'invalid' | undefined) ?? result.problem;
}

/**
 * Redeems the link's token with a POST from the page: mail scanners that only follow links change nothing.
 */
export function Verify({ token }: { token: string | null }) {
  const t = useTranslations('auth.verify');
  const ui = useTranslations('ui');
  const [state, setState] = useState<State>(token ? 'working' : 'invalid');
  const [attempt, setAttempt] = useState(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `attempt` is what makes it run again.
  useEffect(() => {
    if (!token) return;
    let left = false;
    verifyOnce(token).then((result) => {
      if (left) return;
      setState(stateOf(result));
      if (!result.ok) return;
      pendingEmail.forget();
      location.replace('/dashboard');
    });
    return () => {
      left = true;
    };
  }, [token, attempt]);

  if (typeof state === 'object') {
    const again = () => {
      started.clear();
      setState('working');
      setAttempt(attempt + 1);
    };
    return (
      <>
        <Heading key="failed" title={t('failed')} focus />
        <div className="grid gap-4">
          <ProblemStatus problem={state} />
          <Button onClick={again}>{ui('retry')}</Button>
        </div>
      </>
    );
  }
  return (
    <>
      <Heading key={state} title={t(state)} focus={state !== 'working'}>
        <p>{t(`${state}Text`)}</p>
      </Heading>
      {state === 'working' || state === 'done' ? (
        <p role="status" className="text-primary">
          <Spinner className="size-6" />
          <span className="sr-only">{t(state)}</span>
        </p>
      ) : null}
      {state === 'used' ? (
        <Link href="/sign-in" className={buttonClass()}>
          {t('signIn')}
        </Link>
      ) : null}
      {state === 'expired' || state === 'invalid' ? <ResendForm label={t('resend')} done={t('resent')} /> : null}
    </>
  );
}
