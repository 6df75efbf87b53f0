import type { Routes } from '@ballast/modules/accounts/routes';
import { call } from '@ballast/ui/api/problem';
import { serverApi, signedIn } from '@ballast/ui/api/server';
import { cookies } from 'next/headers';
import { cache } from 'react';

/** Who is signed in, asked once per request however many components want to know. */
export const whoAmI = cache(async () => {
  const accounts = await serverApi<Routes>('/api/accounts');
  return call(() => accounts.me.$get());
});

/** The same on a page that needs a session: without one, its visitor goes to sign in. */
export const requireMe = cache(async () => signedIn(await whoAmI()));

export const mySessions = cache(async () => {
  const accounts = await serverApi<Routes>('/api/accounts');
  return signedIn(await call(() => accounts.sessions.$get()));
});

/** For public pages: whether somebody is signed in, without asking the API about browsers that hold no cookie of its own. */
export async function isSignedIn(): Promise<boolean> {
  const mayBe = (await cookies()).getAll().some((cookie) => cookie.name !== 'theme');
  return mayBe && (await whoAmI()).ok;
}
