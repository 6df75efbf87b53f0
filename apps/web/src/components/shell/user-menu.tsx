'use client';
import { lazy, Suspense, useState } from 'react';
import type { Me } from './me.ts';
import { UserButton } from './user-button.tsx';

const load = () => import('./user-menu-list.tsx');
const UserMenuList = lazy(load);

/** The button with one's name. What it opens is loaded when somebody reaches for it: it is a third of a page's code. */
export function UserMenu({ user }: { user: Me['user'] }) {
  const [used, setUsed] = useState(false);
  if (!used) {
    const waiting = { onPointerEnter: load, onFocus: load, onClick: () => setUsed(true) };
    return <UserButton user={user} aria-haspopup="menu" aria-expanded={false} {...waiting} />;
  }
  return (
    <Suspense fallback={<UserButton user={user} aria-haspopup="menu" aria-expanded={true} />}>
      <UserMenuList user={user} />
    </Suspense>
  );
}
