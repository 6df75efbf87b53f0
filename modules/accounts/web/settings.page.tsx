import { call } from '@ballast/ui/api/problem';
import { serverApi, signedIn } from '@ballast/ui/api/server';
import { Section } from '@ballast/ui/card';
import { PageHeader } from '@ballast/ui/page-header';
import { ServiceDown } from '@ballast/ui/service-down';
import { Status } from '@ballast/ui/status';
import type { Metadata } from 'next';
import { getNow, getTranslations } from 'next-intl/server';
import type { Routes } from '../routes.ts';
import { EmailForm } from './components/email-form.tsx';
import { PasswordForm } from './components/password-form.tsx';
import { ProfileForm } from './components/profile-form.tsx';
import { SessionList } from './components/session-list.tsx';

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('accounts.settings'))('title') };
}

export default async function SettingsPage() {
  const api = await serverApi<Routes>('/api/accounts');
  const [t, now, me, sessions] = await Promise.all([
    getTranslations('accounts.settings'),
    getNow(),
    call(() => api.me.$get()).then(signedIn),
    call(() => api.sessions.$get()).then(signedIn),
  ]);
  if (!me.ok) return <ServiceDown problem={me.problem} />;
  const { user } = me.data;
  return (
    <>
      <PageHeader title={t('title')} description={t('description')} />
      <div className="divide-y border-t">
        <Section id="profile" title={t('profile.title')} description={t('profile.description')}>
          <ProfileForm name={user.name} />
        </Section>
        <Section id="email" title={t('email.title')} description={t('email.description')}>
          <EmailForm email={user.email} verified={user.emailVerified} />
        </Section>
        <Section id="password" title={t('password.title')} description={t('password.description')}>
          <PasswordForm email={user.email} />
        </Section>
        <Section id="sessions" title={t('sessions.title')} description={t('sessions.description')}>
          {sessions.ok ? (
            <SessionList sessions={sessions.data.sessions} now={now.getTime()} />
          ) : (
            <Status tone="danger" message={t('sessions.failed')} className="m-5" />
          )}
        </Section>
      </div>
    </>
  );
}
