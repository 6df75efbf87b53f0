import { defineErrors } from '@ballast/kernel';

export const errors = defineErrors('support', {
  request_not_found: { status: 404, public: 'There is no such request.' },
  already_sent: { status: 409, public: 'You sent exactly this a moment ago. It is on its way.' },
  too_many_open: {
    status: 409,
    public: 'Several of your requests are still being delivered. Try again once they have arrived.',
  },
  no_organization: { status: 403, public: 'Choose an organisation first.' },
});
