import type { Metadata } from 'next';
import { getTranslations } from 'next-intl/server';
import { Verify } from '../../../components/auth/verify.tsx';
import type { SearchProps } from '../../search-props.ts';

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('auth.verify'))('working'), robots: { index: false } };
}

/** Only shows the page; the token is redeemed by a POST from it. */
export default async function VerifyPage({ searchParams }: SearchProps) {
  const { token } = await searchParams;
  return <Verify token={typeof token === 'string' && token !== '' ? token : null} />;
}
