'use client';
import { Avatar } from '@ballast/ui/avatar';
import { ChevronsUpDown } from 'lucide-react';
import { useTranslations } from 'next-intl';
import type { ComponentProps } from 'react';
import type { Me } from './me.ts';

export function UserButton({ user, ...props }: { user: Me['user'] } & ComponentProps<'button'>) {
  const t = useTranslations('shell');
  return (
    <button
      type="button"
      {...props}
      className="flex w-full items-center gap-2.5 rounded-md p-1.5 text-left hover:bg-hover aria-expanded:bg-hover"
    >
      <Avatar name={user.name} />
      <span className="sr-only">{t('account')}</span>
      <span className="grid min-w-0 flex-1">
        <span className="truncate font-medium text-sm">{user.name}</span>
        <span className="truncate text-faint text-xs">{user.email}</span>
      </span>
      <ChevronsUpDown aria-hidden="true" className="size-4 shrink-0 text-faint" />
    </button>
  );
}
