import { ServiceDown } from '@ballast/ui/service-down';
import { NextIntlClientProvider } from 'next-intl';
import type { ReactNode } from 'react';
import { requireMe } from '../../api/me.ts';
import { Shell } from '../../components/shell/shell.tsx';
import { messages as moduleMessages } from '../../generated/modules.ts';
import { clientMessages } from '../../i18n/client-messages.ts';
import { onlyAtHome } from '../only-at-home.ts';

/** The signed-in area. The API decides who is signed in; this only asks it. */
export default async function AppLayout({ children }: { children: ReactNode }) {
  await onlyAtHome();
  const [me, messages] = await Promise.all([requireMe(), clientMessages('shell', ...Object.keys(moduleMessages))]);
  return (
    <NextIntlClientProvider messages={messages}>
      {me.ok ? (
        <Shell me={me.data}>{children}</Shell>
      ) : (
        <main className="grid min-h-dvh place-items-center">
          <ServiceDown problem={me.problem} />
        </main>
      )}
    </NextIntlClientProvider>
  );
}
