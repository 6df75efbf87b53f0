import { Badge } from '@ballast/ui/badge';
import { buttonClass } from '@ballast/ui/button';
import Link from 'next/link';
import { getFormatter, getTranslations } from 'next-intl/server';
import type { mySessions } from '../../api/me.ts';
import type { Me } from '../shell/me.ts';
import { Panel } from './panel.tsx';

/** What protects this account, as far as the API knows. */
export async function Security({
  user,
  sessions,
}: {
  user: Me['user'];
  sessions: Awaited<ReturnType<typeof mySessions>>;
}) {
  const [t, format] = await Promise.all([getTranslations('dashboard.security'), getFormatter()]);
  return (
    <Panel id="security" title={t('title')}>
      <dl className="grid gap-4 px-5 py-4 text-sm">
        <div className="grid gap-1">
          <dt className="text-muted">{t('email')}</dt>
          <dd className="flex flex-wrap items-center justify-between gap-2">
            <span className="min-w-0 break-words font-medium">{user.email}</span>
            <Badge tone={user.emailVerified ? 'success' : 'warning'}>
              {t(user.emailVerified ? 'confirmed' : 'unconfirmed')}
            </Badge>
          </dd>
        </div>
        {sessions.ok ? (
          <div className="grid gap-1">
            <dt className="text-muted">{t('sessions')}</dt>
            <dd className="font-medium">{t('devices', { count: sessions.data.sessions.length })}</dd>
          </div>
        ) : null}
        <div className="grid gap-1">
          <dt className="text-muted">{t('since')}</dt>
          <dd className="font-medium">{format.dateTime(new Date(user.createdAt), { dateStyle: 'long' })}</dd>
        </div>
      </dl>
      <div className="border-t p-4">
        <Link href="/settings#sessions" className={buttonClass({ variant: 'secondary', size: 'sm' }, 'w-full')}>
          {t('manage')}
        </Link>
      </div>
    </Panel>
  );
}
