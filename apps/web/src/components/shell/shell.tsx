import { Wordmark } from '@ballast/ui/logo';
import Link from 'next/link';
import { useTranslations } from 'next-intl';
import type { ReactNode } from 'react';
import { SkipLink } from '../skip-link.tsx';
import { KeepSession } from './keep-session.tsx';
import type { Me } from './me.ts';
import { MobileMenu } from './mobile-menu.tsx';
import { Sidebar } from './sidebar.tsx';

export function Shell({ me, children }: { me: Me; children: ReactNode }) {
  const brand = useTranslations('brand');
  return (
    <div className="lg:grid lg:grid-cols-[15.5rem_1fr]">
      <SkipLink />
      <KeepSession />
      <aside className="sticky top-0 hidden h-dvh border-r bg-deep lg:block">
        <Sidebar me={me} />
      </aside>
      <div className="min-w-0">
        <header className="sticky top-0 z-10 flex h-14 items-center gap-2 border-b bg-canvas/90 px-3 backdrop-blur-sm lg:hidden">
          <MobileMenu>
            <Sidebar me={me} />
          </MobileMenu>
          <Link href="/dashboard" className="rounded-sm">
            <Wordmark name={brand('name')} className="text-base" />
          </Link>
        </header>
        <main id="content" tabIndex={-1} className="mx-auto w-full max-w-5xl px-5 pt-8 pb-20 sm:px-8 lg:px-12 lg:pt-12">
          {children}
        </main>
      </div>
    </div>
  );
}
