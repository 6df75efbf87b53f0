'use client';
import { Menu as MenuGlyph } from 'lucide-react';
import { usePathname } from 'next/navigation';
import { useTranslations } from 'next-intl';
import { lazy, type ReactNode, Suspense, useRef, useState } from 'react';

const load = () => import('@ballast/ui/drawer');
const Drawer = lazy(async () => ({ default: (await load()).Drawer }));

/** The sidebar on small screens; it closes when it has led somewhere. */
export function MobileMenu({ children }: { children: ReactNode }) {
  const t = useTranslations('shell');
  const pathname = usePathname();
  const button = useRef<HTMLButtonElement>(null);
  const [used, setUsed] = useState(false);
  const [openOn, setOpenOn] = useState<string | null>(null);
  const open = openOn === pathname;
  return (
    <>
      <button
        ref={button}
        type="button"
        aria-label={t('menu')}
        aria-haspopup="dialog"
        aria-expanded={open}
        onPointerEnter={load}
        onFocus={load}
        onClick={() => {
          setUsed(true);
          setOpenOn(pathname);
        }}
        className="grid size-10 place-items-center rounded-md text-muted hover:bg-hover hover:text-ink"
      >
        <MenuGlyph aria-hidden="true" className="size-5" />
      </button>
      {used ? (
        <Suspense fallback={null}>
          <Drawer
            title={t('nav')}
            opener={button}
            open={open}
            onOpenChange={(next) => setOpenOn(next ? pathname : null)}
          >
            {children}
          </Drawer>
        </Suspense>
      ) : null}
    </>
  );
}
