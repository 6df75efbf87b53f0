import { safeNextPath } from '@ballast/ui/api/next-path';
import { Status } from '@ballast/ui/status';
import type { Metadata } from 'next';
import { redirect } from 'next/navigation';
import { getTranslations } from 'next-intl/server';
import { isSignedIn } from '../../../api/me.ts';
import { Heading } from '../../../components/auth/heading.tsx';
import { SwitchLink } from '../../../components/auth/links.tsx';
import { SignInForm } from '../../../components/auth/sign-in-form.tsx';
import type { SearchProps } from '../../search-props.ts';

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('auth.signIn'))('title') };
}

/** Why somebody may have come here, told above the form. */
const REASONS = { 'signed-out': 'signedOut', everywhere: 'everywhere', reset: 'reset' } as const;

export default async function SignInPage({ searchParams }: SearchProps) {
  const { next, because } = await searchParams;
  const target = safeNextPath(next);
  if (await isSignedIn()) redirect(target);

  const t = await getTranslations('auth.signIn');
  const reason = Object.hasOwn(REASONS, String(because)) ? REASONS[because as keyof typeof REASONS] : next && 'again';
  return (
    <>
      <Heading title={t('title')}>
        <p>{t('lead')}</p>
      </Heading>
      {reason ? <Status tone={reason === 'again' ? 'info' : 'success'} message={t(reason)} className="mb-6" /> : null}
      <SignInForm next={target} />
      <SwitchLink text={t('switch')} label={t('switchLink')} href="/sign-up" />
    </>
  );
}
