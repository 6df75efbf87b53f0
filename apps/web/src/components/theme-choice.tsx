'use client';
import { MenuChoice } from '@ballast/ui/menu';
import { Monitor, Moon, Sun } from 'lucide-react';
import { useTranslations } from 'next-intl';
import { useState } from 'react';
import { chooseTheme, readTheme, type Theme } from '../theme.ts';

/** Inside a menu: opened by a person, so the page's own attribute can be read when it mounts. */
export function ThemeChoice() {
  const t = useTranslations('theme');
  const [theme, setTheme] = useState<Theme>(() => readTheme(document.documentElement.dataset.theme));
  return (
    <MenuChoice
      label={t('label')}
      value={theme}
      onChange={(next) => {
        setTheme(next);
        chooseTheme(next);
      }}
      choices={[
        { value: 'system', label: t('system'), icon: <Monitor aria-hidden="true" /> },
        { value: 'light', label: t('light'), icon: <Sun aria-hidden="true" /> },
        { value: 'dark', label: t('dark'), icon: <Moon aria-hidden="true" /> },
      ]}
    />
  );
}
