'use client';
import { call } from '@ballast/ui/api/problem';
import { Menu, MenuItem, MenuSeparator } from '@ballast/ui/menu';
import { LogOut, Settings } from 'lucide-react';
import Link from 'next/link';
import { useTranslations } from 'next-intl';
import { useState } from 'react';
import { accounts } from '../../api/accounts.ts';
import { ThemeChoice } from '../theme-choice.tsx';
import type { Me } from './me.ts';
import { UserButton } from './user-button.tsx';

export default function UserMenuList({ user }: { user: Me['user'] }) {
  const t = useTranslations('shell');
  const [state, setState] = useState<'signOut' | 'signingOut' | 'signOutFailed'>('signOut');

  async function signOut() {
    if (state === 'signingOut') return;
    setState('signingOut');
    const result = await call(() => accounts['sign-out'].$post());
    // A whole new page: nothing of this person's stays in the browser's memory.
    if (result.ok) location.assign('/sign-in?because=signed-out');
    else setState('signOutFailed');
  }

  return (
    <Menu openAtOnce trigger={<UserButton user={user} />}>
      <ThemeChoice />
      <MenuSeparator />
      <MenuItem render={<Link href="/settings" />}>
        <Settings aria-hidden="true" />
        {t('settings')}
      </MenuItem>
      <MenuItem closeOnClick={false} onClick={signOut}>
        <LogOut aria-hidden="true" />
        <span aria-live="polite">{t(state)}</span>
      </MenuItem>
    </Menu>
  );
}
