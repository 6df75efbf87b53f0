import { call } from '@ballast/ui/api/problem';
import { serverApi, signedIn } from '@ballast/ui/api/server';
import { PageHeader } from '@ballast/ui/page-header';
import type { Metadata } from 'next';
import { getNow, getTranslations } from 'next-intl/server';
import type { Routes } from '../routes.ts';
import { RequestForm } from './components/request-form.tsx';
import { RequestList } from './components/request-list.tsx';

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('support'))('title') };
}

export default async function SupportPage() {
  const api = await serverApi<Routes>('/api/support');
  const [t, now, page] = await Promise.all([
    getTranslations('support'),
    getNow(),
    call(() => api.requests.$get({ query: {} })).then(signedIn),
  ]);
  // A list that changed at its head, by a new request or a delivery, starts again from its first page.
  const head = page.ok ? page.data.items.map(({ id, status }) => `${id}${status}`).join() : '';
  return (
    <>
      <PageHeader title={t('title')} description={t('description')} />
      <div className="grid items-start gap-6 xl:grid-cols-[1fr_22rem]">
        <RequestForm />
        <RequestList key={head} first={page} now={now.getTime()} />
      </div>
    </>
  );
}
