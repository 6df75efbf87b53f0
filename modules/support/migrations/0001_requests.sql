create schema support;
grant usage on schema support to ballast_app;

create table support.request (
  id uuid primary key,
  organization_id uuid not null references accounts.organization on delete cascade,
  -- No reference: a request outlives the account of the person who wrote it.
  user_id uuid not null,
  -- Where the answer goes, as it was when they wrote.
  author_name text not null,
  author_email text not null,
  subject text not null check (char_length(subject) between 1 and 120),
  body text not null check (char_length(body) between 1 and 5000),
  state text not null default 'open' check (state in ('open', 'delivered')),
  created_at timestamptz not null default now(),
  delivered_at timestamptz,
  check ((state = 'delivered') = (delivered_at is not null))
);
create index request_by_organization on support.request (organization_id, id desc);
create index request_open on support.request (organization_id) where state = 'open';

alter table support.request enable row level security;
create policy tenant on support.request to ballast_app
  using (organization_id = ballast.tenant_id())
  with check (organization_id = ballast.tenant_id());
-- What was asked cannot be rewritten, only delivered.
grant select, insert, update (state, delivered_at) on support.request to ballast_app;
