'use client';
import { Dialog } from '@base-ui/react/dialog';
import type { ReactNode, RefObject } from 'react';

interface DrawerProps {
  /** The button that opened it: where the focus goes back to. */
  opener: RefObject<HTMLButtonElement | null>;
  title: string;
  open: boolean;
  onOpenChange: (open: boolean) => void;
  children: ReactNode;
}

/** A panel from the left edge, for what has no room beside the page on small screens. */
export function Drawer({ opener, title, open, onOpenChange, children }: DrawerProps) {
  return (
    <Dialog.Root open={open} onOpenChange={onOpenChange}>
      <Dialog.Portal>
        <Dialog.Backdrop className="fixed inset-0 z-40 bg-[oklch(0.12_0.02_236/0.45)] transition-opacity duration-200 data-[ending-style]:opacity-0 data-[starting-style]:opacity-0" />
        <Dialog.Popup
          finalFocus={opener}
          className="data-[ending-style]:-translate-x-full data-[starting-style]:-translate-x-full fixed inset-y-0 left-0 z-40 flex w-[min(18rem,85vw)] flex-col border-r bg-deep shadow-float transition-transform duration-200 ease-out"
        >
          <Dialog.Title className="sr-only">{title}</Dialog.Title>
          {children}
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
