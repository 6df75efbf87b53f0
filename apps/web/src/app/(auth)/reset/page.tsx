import type { Metadata } from 'next';
import { getTranslations } from 'next-intl/server';
import { ResetForm } from '../../../components/auth/reset-form.tsx';
import type { SearchProps } from '../../search-props.ts';

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('auth.reset'))('title'), robots: { index: false } };
}

export default async function ResetPage({ searchParams }: SearchProps) {
  const { token } = await searchParams;
  return <ResetForm token={typeof token === 'string' && token !== '' ? token : null} />;
}
