/** What a person may see of their own account. */
export interface Profile {
  id: string;
  name: string;
  email: string;
  emailVerified: boolean;
  createdAt: string;
}

export function profileOf(user: Omit<Profile, 'createdAt'> & { createdAt: Date | string }): Profile {
  return {
    id: user.id,
    name: user.name,
    email: user.email,
    emailVerified: user.emailVerified,
    createdAt: new Date(user.createdAt).toISOString(),
  };
}
