import './globals.css';
import { GeistSans } from 'geist/font/sans';
import type { Metadata, Viewport } from 'next';
import { cookies } from 'next/headers';
import { NextIntlClientProvider } from 'next-intl';
import { getLocale, getTranslations } from 'next-intl/server';
import type { ReactNode } from 'react';
import { OldTab } from '../components/old-tab.ts';
import { clientMessages } from '../i18n/client-messages.ts';
import { readTheme, THEME_COOKIE } from '../theme.ts';

export async function generateMetadata(): Promise<Metadata> {
  const t = await getTranslations('brand');
  return {
    title: { default: `${t('name')} · ${t('tagline')}`, template: `%s · ${t('name')}` },
    description: t('description'),
  };
}

export const viewport: Viewport = {
  colorScheme: 'light dark',
  themeColor: [
    { media: '(prefers-color-scheme: light)', color: '#f8fafb' },
    { media: '(prefers-color-scheme: dark)', color: '#0c1318' },
  ],
};

/**
 * The chosen appearance is read from a cookie and written into the page by the server, so that the first
 * paint is right without a script. Reading it also makes every page dynamic, which its nonce needs.
 */
export default async function RootLayout({ children }: { children: ReactNode }) {
  const theme = readTheme((await cookies()).get(THEME_COOKIE)?.value);
  return (
    <html lang={await getLocale()} data-theme={theme} className={GeistSans.variable}>
      <body>
        <OldTab />
        <NextIntlClientProvider messages={await clientMessages()}>{children}</NextIntlClientProvider>
      </body>
    </html>
  );
}
