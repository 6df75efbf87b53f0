import { describeDevice } from '@ballast/ui/api/device';
import { isUnexpected } from '@ballast/ui/api/problem';
import { Badge } from '@ballast/ui/badge';
import { RelativeTime } from '@ballast/ui/relative-time';
import { Status } from '@ballast/ui/status';
import { Monitor, Smartphone } from 'lucide-react';
import { getNow, getTranslations } from 'next-intl/server';
import type { mySessions } from '../../api/me.ts';
import { Panel } from './panel.tsx';

const SHOWN = 3;

export async function RecentSessions({ sessions }: { sessions: Awaited<ReturnType<typeof mySessions>> }) {
  const [t, ui, now] = await Promise.all([getTranslations('dashboard.recent'), getTranslations('ui'), getNow()]);
  if (!sessions.ok) {
    const { requestId } = sessions.problem;
    return (
      <Panel id="recent" title={t('title')}>
        <Status tone="danger" message={t('failed')} className="m-4">
          {isUnexpected(sessions.problem) && requestId ? (
            <p className="font-mono text-muted text-xs">{ui('requestId', { id: requestId })}</p>
          ) : null}
        </Status>
      </Panel>
    );
  }
  return (
    <Panel id="recent" title={t('title')}>
      <ul className="divide-y">
        {sessions.data.sessions.slice(0, SHOWN).map((session) => {
          const { browser, system, handheld } = describeDevice(session.userAgent);
          const Icon = handheld ? Smartphone : Monitor;
          return (
            <li key={session.id} className="flex items-center gap-4 px-5 py-3.5">
              <Icon aria-hidden="true" className="size-5 shrink-0 text-faint" strokeWidth={1.75} />
              <div className="min-w-0 flex-1">
                <p className="truncate font-medium text-sm">
                  {browser && system ? t('on', { browser, system }) : (browser ?? system ?? t('unknownDevice'))}
                </p>
                <p className="text-muted text-sm">
                  <RelativeTime date={session.lastSeenAt} now={now.getTime()} />
                </p>
              </div>
              {session.current ? <Badge tone="success">{t('current')}</Badge> : null}
            </li>
          );
        })}
      </ul>
    </Panel>
  );
}
