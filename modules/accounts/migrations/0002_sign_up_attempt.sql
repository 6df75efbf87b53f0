-- The password that was typed at the first sign-up with the address of a confirmed
-- account. Signing in with it must answer as it would for a new account that waits
-- for its confirmation: otherwise one sign-up and one sign-in would tell which
-- addresses have an account. It opens nothing.
create table accounts.sign_up_attempt (
  user_id uuid primary key references accounts."user" on delete cascade,
  password text not null,
  created_at timestamptz not null default now()
);

alter table accounts.sign_up_attempt enable row level security;
grant select, insert, delete on accounts.sign_up_attempt to ballast_auth;
create policy auth on accounts.sign_up_attempt to ballast_auth using (true) with check (true);
