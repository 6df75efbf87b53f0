'use client';
import { useTranslations } from 'next-intl';
import { useSyncExternalStore } from 'react';
import { Heading } from './heading.tsx';
import { SwitchLink } from './links.tsx';
import { pendingEmail } from './pending-email.ts';
import { ResendForm } from './resend-form.tsx';

const never = () => () => {};

export function CheckInbox({ unverified }: { unverified: boolean }) {
  const t = useTranslations('auth.checkInbox');
  // Undefined until the browser was asked, which the server cannot: then the page looks as it mostly will.
  const address = useSyncExternalStore<string | null | undefined>(never, pendingEmail.recall, () => undefined);
  return (
    <>
      <Heading title={t('title')} focus>
        <p>{t(unverified ? 'unverified' : 'sent')}</p>
        {address === null ? null : <p className="min-h-6 truncate font-medium text-ink">{address}</p>}
        <p>{t('wait')}</p>
      </Heading>
      <ResendForm known={address === undefined ? '' : address} label={t('resend')} done={t('resent')} />
      <SwitchLink text={t('other')} label={t('otherLink')} href="/sign-up" />
    </>
  );
}
