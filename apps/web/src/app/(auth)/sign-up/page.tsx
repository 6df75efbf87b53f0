import type { Metadata } from 'next';
import { redirect } from 'next/navigation';
import { getTranslations } from 'next-intl/server';
import { isSignedIn } from '../../../api/me.ts';
import { Heading } from '../../../components/auth/heading.tsx';
import { SwitchLink } from '../../../components/auth/links.tsx';
import { SignUpForm } from '../../../components/auth/sign-up-form.tsx';

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('auth.signUp'))('title') };
}

export default async function SignUpPage() {
  if (await isSignedIn()) redirect('/dashboard');
  const t = await getTranslations('auth.signUp');
  return (
    <>
      <Heading title={t('title')}>
        <p>{t('lead')}</p>
      </Heading>
      <SignUpForm />
      <SwitchLink text={t('switch')} label={t('switchLink')} href="/sign-in" />
    </>
  );
}
