import { defineErrors } from '@ballast/kernel';

export const errors = defineErrors('domains', {
  no_organization: { status: 403, public: 'Choose an organisation first.' },
  not_a_domain: { status: 400, public: 'Write the name of a domain, such as shop.example.com, and nothing around it.' },
  own_host: { status: 400, public: 'This name belongs to the site itself.' },
  already_added: { status: 409, public: 'Your organisation has this domain already.' },
  too_many: { status: 409, public: 'Your organisation has as many domains as it may. Remove one first.' },
  not_found: { status: 404, public: 'There is no such domain in your organisation.' },
  record_missing: {
    status: 409,
    public: 'The TXT record was not found. A new record may take up to an hour to be seen; check it, then ask again.',
  },
  lookup_failed: { status: 503, public: "The domain's name servers did not answer. Try again in a few minutes." },
  proved_elsewhere: {
    status: 409,
    public: 'Another organisation proved this domain. It loses the domain some days after its TXT record is gone.',
  },
  not_proved: { status: 404, public: 'Nobody proved this domain.' },
});
