import { call } from '@ballast/ui/api/problem';
import { serverApi, signedIn } from '@ballast/ui/api/server';
import { PageHeader } from '@ballast/ui/page-header';
import type { Metadata } from 'next';
import { getTranslations } from 'next-intl/server';
import type { Routes } from '../routes.ts';
import { DomainForm } from './components/domain-form.tsx';
import { DomainList } from './components/domain-list.tsx';

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('domains'))('title') };
}

export default async function DomainsPage() {
  const api = await serverApi<Routes>('/api/domains');
  const [t, list] = await Promise.all([getTranslations('domains'), call(() => api.index.$get()).then(signedIn)]);
  return (
    <>
      <PageHeader title={t('title')} description={t('description')} />
      <div className="grid gap-6">
        <DomainForm />
        <DomainList list={list} />
      </div>
    </>
  );
}
