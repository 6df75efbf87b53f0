import type { Metadata } from 'next';
import { getTranslations } from 'next-intl/server';
import { CheckInbox } from '../../../components/auth/check-inbox.tsx';
import type { SearchProps } from '../../search-props.ts';

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('auth.checkInbox'))('title') };
}

export default async function CheckInboxPage({ searchParams }: SearchProps) {
  return <CheckInbox unverified={(await searchParams).why === 'unverified'} />;
}
