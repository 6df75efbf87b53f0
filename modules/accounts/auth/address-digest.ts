import { createHash } from 'node:crypto';

/** What a job keeps of a person's address, to tell later whether it is still theirs. Not the address: jobs outlive accounts. */
export const addressDigest = ({ id, email }: { id: string; email: string }) =>
  createHash('sha256').update(`${id} ${email}`).digest('base64url');

/** What a limit counts a mailbox by: addresses of people do not belong in a cache. */
export const recipientDigest = (email: string) => createHash('sha256').update(email).digest('base64url');
