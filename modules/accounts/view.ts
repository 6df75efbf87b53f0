import { z } from 'zod';

/** What people see of their own account. */
export const Profile = z.object({
  id: z.uuid(),
  name: z.string(),
  email: z.email(),
  emailVerified: z.boolean(),
  createdAt: z.iso.datetime(),
});

export type Profile = z.output<typeof Profile>;

export const SignedIn = z.object({ user: Profile });

export const Me = z.object({
  user: Profile,
  organization: z.object({ id: z.uuid(), name: z.string(), slug: z.string() }),
});

export type Me = z.output<typeof Me>;

/** A place where a person is signed in. Never its token: the list must not be worth stealing. */
export const SessionView = z.object({
  id: z.uuid(),
  createdAt: z.iso.datetime(),
  lastSeenAt: z.iso.datetime(),
  address: z.string().nullable(),
  userAgent: z.string().nullable(),
  current: z.boolean(),
});

export type SessionView = z.output<typeof SessionView>;

export function profileOf(user: Omit<Profile, 'createdAt'> & { createdAt: Date | string }): Profile {
  return {
    id: user.id,
    name: user.name,
    email: user.email,
    emailVerified: user.emailVerified,
    createdAt: new Date(user.createdAt).toISOString(),
  };
}
