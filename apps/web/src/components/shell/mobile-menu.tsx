'use client';
import { Drawer } from '@ballast/ui/drawer';
import { Menu as MenuGlyph } from 'lucide-react';
import { usePathname } from 'next/navigation';
import { useTranslations } from 'next-intl';
import { type ReactNode, useState } from 'react';

/** The sidebar on small screens; it closes when it has led somewhere. */
export function MobileMenu({ children }: { children: ReactNode }) {
  const t = useTranslations('shell');
  const pathname = usePathname();
  const [openOn, setOpenOn] = useState<string | null>(null);
  return (
    <Drawer
      title={t('nav')}
      open={openOn === pathname}
      onOpenChange={(open) => setOpenOn(open ? pathname : null)}
      trigger={
        <button
          type="button"
          aria-label={t('menu')}
          className="grid size-10 place-items-center rounded-md text-muted hover:bg-hover hover:text-ink"
        >
          <MenuGlyph aria-hidden="true" className="size-5" />
        </button>
      }
    >
      {children}
    </Drawer>
  );
}
