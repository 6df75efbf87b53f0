import { Avatar } from '@ballast/ui/avatar';
import { useTranslations } from 'next-intl';
import { menu } from '../../generated/modules.ts';
import type { Me } from './me.ts';
import { MenuIcon } from './menu-icon.tsx';
import { NavLink } from './nav-link.tsx';
import { UserMenu } from './user-menu.tsx';

/** The menu of the signed-in area: what the shell always has, then what the active modules bring. */
export function Sidebar({ me }: { me: Me }) {
  const t = useTranslations('shell');
  const label = useTranslations() as unknown as (key: string) => string;
  return (
    <div className="flex h-full flex-col gap-4 p-3">
      <div className="flex h-10 items-center gap-2.5 px-1.5">
        <Avatar name={me.organization.name} className="size-7" />
        <p className="min-w-0 truncate font-semibold text-sm" title={me.organization.name}>
          <span className="sr-only">{t('organization')} </span>
          {me.organization.name}
        </p>
      </div>
      <nav aria-label={t('nav')} className="flex-1">
        <ul className="grid gap-0.5">
          <li>
            <NavLink href="/dashboard" icon={<MenuIcon name="layout-dashboard" />}>
              {t('dashboard')}
            </NavLink>
          </li>
          {menu.map((entry) => (
            <li key={entry.href}>
              <NavLink href={entry.href} icon={<MenuIcon name={entry.icon} />}>
                {label(`${entry.module}.${entry.label}`)}
              </NavLink>
            </li>
          ))}
        </ul>
      </nav>
      <UserMenu user={me.user} />
    </div>
  );
}
