'use client';
import { call } from '@ballast/ui/api/problem';
import { useEffect } from 'react';
import { accounts } from '../../api/accounts.ts';

const KEY = 'ballast.session-kept';
const HOUR_MS = 3_600_000;

/** Extends the session of somebody who uses it, once an hour: pages are rendered where no cookie can be renewed. */
export function KeepSession() {
  useEffect(() => {
    void keep();
    const timer = setInterval(keep, HOUR_MS);
    return () => clearInterval(timer);
  }, []);
  return null;
}

async function keep(): Promise<void> {
  try {
    if (Date.now() - Number(localStorage.getItem(KEY)) < HOUR_MS) return;
    if ((await call(() => accounts.me.$get())).ok) localStorage.setItem(KEY, String(Date.now()));
  } catch {
    // Storage may be forbidden. The session then ends at its time, and its owner signs in again.
  }
}
