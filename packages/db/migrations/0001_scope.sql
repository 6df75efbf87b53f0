-- The scope that row-level security reads. After a commit the setting is '' and
-- not null, hence nullif.
create function ballast.tenant_id() returns uuid
  language sql stable parallel safe
  return nullif(current_setting('app.tenant_id', true), '')::uuid;

create function ballast.user_id() returns uuid
  language sql stable parallel safe
  return nullif(current_setting('app.user_id', true), '')::uuid;

create function ballast.pack_id() returns uuid
  language sql stable parallel safe
  return nullif(current_setting('app.pack_id', true), '')::uuid;

grant usage on schema ballast to ballast_auth;

-- Who did what, per organisation. Insert and read only: nobody edits history.
create table ballast.audit_event (
  id bigint generated always as identity primary key,
  organization_id uuid not null,
  user_id uuid,
  action text not null,
  subject text not null,
  created_at timestamptz not null default now()
);
create index audit_event_by_organization on ballast.audit_event (organization_id, id desc);

alter table ballast.audit_event enable row level security;
create policy tenant on ballast.audit_event to ballast_app
  using (organization_id = ballast.tenant_id())
  with check (organization_id = ballast.tenant_id());
grant select, insert on ballast.audit_event to ballast_app;
