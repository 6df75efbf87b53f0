'use client';
import { describeDevice } from '@ballast/ui/api/device';
import { call, type Problem } from '@ballast/ui/api/problem';
import { Badge } from '@ballast/ui/badge';
import { Button } from '@ballast/ui/button';
import { ProblemStatus } from '@ballast/ui/form/submit';
import { RelativeTime } from '@ballast/ui/relative-time';
import { Status, StatusRegion } from '@ballast/ui/status';
import { Monitor, Smartphone } from 'lucide-react';
import { useRouter } from 'next/navigation';
import { useTranslations } from 'next-intl';
import { useRef, useState, useTransition } from 'react';
import { accounts, type Session } from '../api.ts';
import { SignOutEverywhere } from './sign-out-everywhere.tsx';

export function SessionList({ sessions, now }: { sessions: Session[]; now: number }) {
  const t = useTranslations('accounts.settings.sessions');
  const router = useRouter();
  const list = useRef<HTMLUListElement>(null);
  const [ending, setEnding] = useState<string | null>(null);
  const [outcome, setOutcome] = useState<{ done: string } | { problem: Problem } | null>(null);
  const [refreshing, startTransition] = useTransition();

  const nameOf = (session: Session) => {
    const { browser, system } = describeDevice(session.userAgent);
    return browser && system ? t('on', { browser, system }) : (browser ?? system ?? t('unknownDevice'));
  };

  async function end(session: Session) {
    if (ending) return;
    setEnding(session.id);
    setOutcome(null);
    const result = await call(() => accounts.sessions[':id'].$delete({ param: { id: session.id } }));
    setEnding(null);
    // Ended elsewhere in the meantime is what was wanted, too.
    if (!result.ok && result.problem.status !== 404) return setOutcome({ problem: result.problem });
    setOutcome({ done: t('ended', { device: nameOf(session) }) });
    // The button that had the focus is about to disappear.
    list.current?.focus();
    startTransition(() => router.refresh());
  }

  return (
    <>
      <ul ref={list} tabIndex={-1} className="divide-y" aria-busy={refreshing}>
        {sessions.map((session) => {
          const device = nameOf(session);
          const Icon = describeDevice(session.userAgent).handheld ? Smartphone : Monitor;
          return (
            <li key={session.id} className="flex items-center gap-4 px-5 py-4">
              <Icon aria-hidden="true" className="size-5 shrink-0 text-faint max-sm:hidden" strokeWidth={1.75} />
              <div className="min-w-0 flex-1">
                <p className="flex flex-wrap items-center gap-x-2.5 gap-y-1 font-medium">
                  {device}
                  {session.current ? <Badge tone="success">{t('current')}</Badge> : null}
                </p>
                <p className="text-muted text-sm">
                  <span className="break-all">{session.address ?? t('unknownAddress')}</span>
                  {' · '}
                  {t('seen')} <RelativeTime date={session.lastSeenAt} now={now} />
                  {' · '}
                  {t('started')} <RelativeTime date={session.createdAt} now={now} />
                </p>
              </div>
              {session.current ? null : (
                <Button
                  variant="secondary"
                  size="sm"
                  pending={ending === session.id}
                  aria-label={t('endLabel', { device })}
                  onClick={() => end(session)}
                >
                  {t('end')}
                </Button>
              )}
            </li>
          );
        })}
      </ul>
      {outcome && 'problem' in outcome ? (
        <div className="px-5 pb-4">
          <ProblemStatus problem={outcome.problem} />
        </div>
      ) : null}
      <StatusRegion>
        {outcome && 'done' in outcome ? <Status tone="success" message={outcome.done} className="mx-5 mb-4" /> : null}
      </StatusRegion>
      <div className="flex justify-end border-t px-5 py-3">
        <SignOutEverywhere />
      </div>
    </>
  );
}
