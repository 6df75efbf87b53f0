'use client';
import { AlertDialog } from '@base-ui/react/alert-dialog';
import type { ReactNode, RefObject } from 'react';
import { Button } from './button.tsx';

interface ConfirmProps {
  /** The button that opened it: where the focus goes back to. */
  opener: RefObject<HTMLButtonElement | null>;
  title: string;
  description: string;
  cancel: string;
  confirm: string;
  open: boolean;
  onOpenChange: (open: boolean) => void;
  onConfirm: () => void;
  pending?: boolean;
  /** What went wrong, inside the dialog, since the page behind it is hidden from a screen reader. */
  children?: ReactNode;
}

/** Asks before something that cannot be taken back. Escape and a click outside are a no. */
export function ConfirmDialog({
  opener,
  title,
  description,
  cancel,
  confirm,
  open,
  onOpenChange,
  onConfirm,
  pending,
  children,
}: ConfirmProps) {
  return (
    <AlertDialog.Root open={open} onOpenChange={onOpenChange}>
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className="fixed inset-0 z-40 bg-[oklch(0.12_0.02_236/0.45)] transition-opacity duration-150 data-[ending-style]:opacity-0 data-[starting-style]:opacity-0" />
        <AlertDialog.Popup
          finalFocus={opener}
          className="-translate-x-1/2 -translate-y-1/2 fixed top-1/2 z-40 left-1/2 grid w-[min(26rem,calc(100vw-2rem))] gap-5 rounded-xl border bg-raised p-6 shadow-float transition-[opacity,scale] duration-150 data-[ending-style]:scale-97 data-[starting-style]:scale-97 data-[ending-style]:opacity-0 data-[starting-style]:opacity-0"
        >
          <div className="grid gap-1.5">
            <AlertDialog.Title className="font-semibold text-lg">{title}</AlertDialog.Title>
            <AlertDialog.Description className="text-muted">{description}</AlertDialog.Description>
          </div>
          {children}
          <div className="flex justify-end gap-2">
            <AlertDialog.Close render={<Button variant="secondary">{cancel}</Button>} />
            <Button variant="danger" pending={pending ?? false} onClick={onConfirm}>
              {confirm}
            </Button>
          </div>
        </AlertDialog.Popup>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
