import { ServiceDown } from '@ballast/ui/service-down';
import type { Metadata } from 'next';
import { getTranslations } from 'next-intl/server';
import { mySessions, requireMe } from '../../../api/me.ts';
import { NextSteps } from '../../../components/dashboard/next-steps.tsx';
import { RecentSessions } from '../../../components/dashboard/recent-sessions.tsx';
import { Security } from '../../../components/dashboard/security.tsx';

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('dashboard'))('title') };
}

export default async function DashboardPage() {
  const [t, me, sessions] = await Promise.all([getTranslations('dashboard'), requireMe(), mySessions()]);
  if (!me.ok) return <ServiceDown problem={me.problem} />;
  const { user, organization } = me.data;
  return (
    <>
      <header className="grid gap-1 pb-8">
        <p className="text-muted">{organization.name}</p>
        <h1 className="font-semibold text-2xl">{t('greeting', { name: user.name })}</h1>
      </header>
      <div className="grid items-start gap-6 xl:grid-cols-[1fr_20rem]">
        <div className="grid min-w-0 gap-6">
          <NextSteps />
          <RecentSessions sessions={sessions} />
        </div>
        <Security user={user} sessions={sessions} />
      </div>
    </>
  );
}
