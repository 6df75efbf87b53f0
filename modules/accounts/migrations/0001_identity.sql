-- Who people are, and the organisations they belong to. The identity tables are not
-- tenant-shaped: only the auth adapter reaches them, wearing ballast_auth, so that a
-- stray query elsewhere in the app is refused by Postgres and not merely filtered.
create schema accounts;
grant usage on schema accounts to ballast_app, ballast_auth;

create table accounts."user" (
  id uuid primary key default gen_random_uuid(),
  name text not null check (char_length(name) between 1 and 200),
  -- Always in lower case: two spellings of one address must meet in the unique index.
  email text not null unique check (email = lower(email)),
  email_verified boolean not null default false,
  image text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table accounts.session (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references accounts."user" on delete cascade,
  token text not null unique,
  ip_address text,
  user_agent text,
  expires_at timestamptz not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index session_by_user on accounts.session (user_id);

-- A way to sign in; `credential` holds the password's hash.
create table accounts.account (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references accounts."user" on delete cascade,
  account_id text not null,
  provider_id text not null,
  password text,
  access_token text,
  refresh_token text,
  id_token text,
  access_token_expires_at timestamptz,
  refresh_token_expires_at timestamptz,
  scope text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (provider_id, account_id)
);
create index account_by_user on accounts.account (user_id);

-- What waits for a proof: outstanding reset links by the hash of their token, and
-- each person's one pending change of address.
create table accounts.verification (
  id uuid primary key default gen_random_uuid(),
  identifier text not null,
  value text not null,
  expires_at timestamptz not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index verification_by_identifier on accounts.verification (identifier);
create index verification_by_value on accounts.verification (value);
create index verification_expired on accounts.verification (expires_at);

-- When a mail of a kind was last asked for, so that nobody can fill a stranger's
-- mailbox. Here and not in a cache: the limit must hold on all replicas and without Redis.
create table accounts.mail_request (
  user_id uuid not null references accounts."user" on delete cascade,
  kind text not null,
  asked_at timestamptz not null default now(),
  primary key (user_id, kind)
);

create table accounts.organization (
  id uuid primary key default gen_random_uuid(),
  name text not null check (char_length(name) between 1 and 200),
  slug text not null unique check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
  -- Made with the account and left only with it.
  personal boolean not null default false,
  created_at timestamptz not null default now()
);

create table accounts.member (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null references accounts.organization on delete cascade,
  user_id uuid not null references accounts."user" on delete cascade,
  role text not null check (role in ('owner', 'admin', 'member')),
  created_at timestamptz not null default now(),
  unique (organization_id, user_id)
);
create index member_by_user on accounts.member (user_id);

alter table accounts."user" enable row level security;
alter table accounts.session enable row level security;
alter table accounts.account enable row level security;
alter table accounts.verification enable row level security;
alter table accounts.mail_request enable row level security;
alter table accounts.organization enable row level security;
alter table accounts.member enable row level security;

grant select, insert, update, delete
  on accounts."user", accounts.session, accounts.account, accounts.verification, accounts.mail_request,
     accounts.organization, accounts.member
  to ballast_auth;
create policy auth on accounts."user" to ballast_auth using (true) with check (true);
create policy auth on accounts.session to ballast_auth using (true) with check (true);
create policy auth on accounts.account to ballast_auth using (true) with check (true);
create policy auth on accounts.verification to ballast_auth using (true) with check (true);
create policy auth on accounts.mail_request to ballast_auth using (true) with check (true);
create policy auth on accounts.organization to ballast_auth using (true) with check (true);
create policy auth on accounts.member to ballast_auth using (true) with check (true);

-- The rest of the app sees of a person what their own profile shows, and nobody else's.
grant select (id, name, email, email_verified, image, created_at) on accounts."user" to ballast_app;
create policy own on accounts."user" for select to ballast_app using (id = ballast.user_id());

grant select on accounts.organization, accounts.member to ballast_app;
create policy tenant on accounts.member for select to ballast_app using (organization_id = ballast.tenant_id());
create policy own on accounts.member for select to ballast_app using (user_id = ballast.user_id());
create policy tenant on accounts.organization for select to ballast_app using (id = ballast.tenant_id());
create policy own on accounts.organization for select to ballast_app using (
  exists (select from accounts.member where member.organization_id = organization.id and member.user_id = ballast.user_id())
);
