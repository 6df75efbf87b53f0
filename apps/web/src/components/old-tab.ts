'use client';
import { unstable_isUnrecognizedActionError } from 'next/navigation';
import { useEffect, useState } from 'react';

const key = 'ballast.reloaded-from';

/** Whether this tab's version asked for what the server's, which is newer, does not have any more. */
function isOfOldTab(error: unknown): boolean {
  if (unstable_isUnrecognizedActionError(error)) return true;
  return error instanceof Error && (error.name === 'ChunkLoadError' || /^Failed to load chunk /.test(error.message));
}

/** Once for each version, so that what reloading does not cure is shown. */
function mayReload(error: unknown): boolean {
  if (typeof window === 'undefined' || !isOfOldTab(error)) return false;
  try {
    return sessionStorage.getItem(key) !== version();
  } catch {
    // Without a memory it could reload for ever.
    return false;
  }
}

const version = () => (globalThis as { NEXT_DEPLOYMENT_ID?: string }).NEXT_DEPLOYMENT_ID ?? '';

/** Loads the page of the server's version. */
function reload(): void {
  sessionStorage.setItem(key, version());
  location.reload();
}

/** For a boundary that an error ended in: whether the page is about to be loaded anew, and nothing is to be shown. */
export function useReloadWhenOld(error: unknown): boolean {
  const [old] = useState(() => mayReload(error));
  useEffect(() => {
    if (old) reload();
  }, [old]);
  return old;
}

/** For errors that end in no boundary: an action that a click called. */
export function OldTab(): null {
  useEffect(() => {
    const listen = ({ reason }: PromiseRejectionEvent) => {
      if (mayReload(reason)) reload();
    };
    addEventListener('unhandledrejection', listen);
    return () => removeEventListener('unhandledrejection', listen);
  }, []);
  return null;
}
