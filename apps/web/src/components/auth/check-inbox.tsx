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
  const address = useSyncExternalStore(never, pendingEmail.recall, () => null);
  const bold = () => <strong className="break-words font-medium text-ink">{address}</strong>;
  return (
    <>
      <Heading title={t('title')} focus>
        <p>{address ? t.rich(unverified ? 'unverified' : 'sentTo', { address: bold }) : t('sent')}</p>
        <p>{t('wait')}</p>
      </Heading>
      <ResendForm known={address} label={t('resend')} done={t('resent')} />
      <SwitchLink text={t('other')} label={t('otherLink')} href="/sign-up" />
    </>
  );
}
