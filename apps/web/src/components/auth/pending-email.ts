const KEY = 'ballast.pending-email';

/**
 * The address that a link was just sent to. It stays in this tab: in an address it would end up in
 * histories and logs.
 */
export const pendingEmail = {
  remember(email: string): void {
    try {
      sessionStorage.setItem(KEY, email);
    } catch {
      // Storage may be forbidden; the page then does without the address.
    }
  },
  recall(): string | null {
    try {
      return sessionStorage.getItem(KEY);
    } catch {
      return null;
    }
  },
  forget(): void {
    try {
      sessionStorage.removeItem(KEY);
    } catch {
      // See above.
    }
  },
};
