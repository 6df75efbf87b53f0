'use client';
import { call } from '@ballast/ui/api/problem';
import { Avatar } from '@ballast/ui/avatar';
import { Menu, MenuItem, MenuSeparator } from '@ballast/ui/menu';
import { ChevronsUpDown, LogOut, Settings } from 'lucide-react';
import Link from 'next/link';
import { useTranslations } from 'next-intl';
import { useState } from 'react';
import { accounts } from '../../api/accounts.ts';
import { ThemeChoice } from '../theme-choice.tsx';
import type { Me } from './me.ts';

export function UserMenu({ user }: { user: Me['user'] }) {
  const t = useTranslations('shell');
  const [leaving, setLeaving] = useState(false);

  async function signOut() {
    if (leaving) return;
    setLeaving(true);
    const result = await call(() => accounts['sign-out'].$post());
    // A whole new page: nothing of this person's stays in the browser's memory.
    if (result.ok) location.assign('/sign-in?because=signed-out');
    else setLeaving(false);
  }

  return (
    <Menu
      trigger={
        <button
          type="button"
          className="flex w-full items-center gap-2.5 rounded-md p-1.5 text-left hover:bg-hover data-[popup-open]:bg-hover"
        >
          <Avatar name={user.name} />
          <span className="sr-only">{t('account')}</span>
          <span className="grid min-w-0 flex-1">
            <span className="truncate font-medium text-sm">{user.name}</span>
            <span className="truncate text-faint text-xs">{user.email}</span>
          </span>
          <ChevronsUpDown aria-hidden="true" className="size-4 shrink-0 text-faint" />
        </button>
      }
    >
      <ThemeChoice />
      <MenuSeparator />
      <MenuItem render={<Link href="/settings" />}>
        <Settings aria-hidden="true" />
        {t('settings')}
      </MenuItem>
      <MenuItem closeOnClick={false} onClick={signOut}>
        <LogOut aria-hidden="true" />
        {leaving ? t('signingOut') : t('signOut')}
      </MenuItem>
    </Menu>
  );
}
