import { defineErrors } from '@ballast/kernel';

export const errors = defineErrors('accounts', {
  wrong_credentials: { status: 401, public: 'The e-mail address or the password is wrong.' },
  email_not_verified: {
    status: 403,
    public: 'Confirm your e-mail address first. We have sent you a link; ask for a new one if it does not arrive.',
  },
  email_unchanged: { status: 400, public: 'This already is the address of your account.' },
  email_taken: { status: 409, public: 'Another account has taken this address in the meantime.' },
  link_invalid: { status: 400, public: 'This link is not complete. Open it again from the e-mail.' },
  link_used: { status: 409, public: 'This link has been used or replaced by a newer one.' },
  link_expired: { status: 410, public: 'This link has expired. Ask for a new one.' },
  session_not_found: { status: 404, public: 'This session has already ended.' },
});
