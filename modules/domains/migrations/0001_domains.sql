create schema domains;
grant usage on schema domains to ballast_app;

create table domains.domain (
  id uuid primary key,
  organization_id uuid not null references accounts.organization on delete cascade,
  -- As the TLS handshake names it: lower case, in punycode, without a dot at its end.
  name text not null check (name ~ '^[a-z0-9.-]{4,244}$'),
  -- What the TXT record has to say. Each claim has its own, so that one tenant's record proves nothing for another.
  token text not null check (char_length(token) between 32 and 64),
  created_at timestamptz not null default now(),
  proved_at timestamptz,
  checked_at timestamptz,
  missing_since timestamptz,
  unique (organization_id, name),
  check (proved_at is null or checked_at is not null)
);
-- Many may claim a name; one has proved it. Also what the question of Caddy is answered by.
create unique index domain_proved on domains.domain (name) where proved_at is not null;
create index domain_due on domains.domain (checked_at) where proved_at is not null;

alter table domains.domain enable row level security;
create policy tenant on domains.domain to ballast_app
  using (organization_id = ballast.tenant_id())
  with check (organization_id = ballast.tenant_id());
grant select, insert, delete, update (proved_at, checked_at, missing_since) on domains.domain to ballast_app;

-- Yes or no, and not whose it is: asked at a handshake, before anybody is known.
create function domains.is_proved(asked text) returns boolean
  language sql stable security definer set search_path = '' as $$
  select exists (select from domains.domain where name = asked and proved_at is not null)
$$;

-- The proofs of all tenants are looked at by a job that has no tenant. Whoever acts for one cannot call this.
create function domains.refuse_tenants() returns void
  language plpgsql stable set search_path = '' as $$
begin
  if ballast.tenant_id() is not null then
    raise exception 'the proofs of all tenants are looked at without one' using errcode = 'insufficient_privilege';
  end if;
end $$;

-- Proved domains that were not looked at for most of a day, the longest first.
create function domains.due(most integer) returns table (id uuid, name text, token text)
  language plpgsql stable security definer set search_path = '' as $$
begin
  perform domains.refuse_tenants();
  return query
    select domain.id, domain.name, domain.token from domains.domain
    where domain.proved_at is not null and domain.checked_at < now() - interval '20 hours'
    order by domain.checked_at limit most;
end $$;

-- Keeps what looking brought: a record that is absent for longer than `grace` was the domain's proof. What name servers did
-- not answer changes nothing but the turn. Returns how many lost their proof.
create function domains.note_looks(present uuid[], absent uuid[], unanswered uuid[], grace interval) returns integer
  language plpgsql security definer set search_path = '' as $$
declare
  lapses integer;
begin
  perform domains.refuse_tenants();
  update domains.domain set checked_at = now(), missing_since = null where id = any(present) and proved_at is not null;
  update domains.domain set checked_at = now() where id = any(unanswered) and proved_at is not null;
  update domains.domain set checked_at = now(), missing_since = coalesce(missing_since, now())
    where id = any(absent) and proved_at is not null;
  with lapsed as (
    update domains.domain set proved_at = null
    where id = any(absent) and proved_at is not null and missing_since < now() - grace
    returning id, organization_id
  )
  insert into ballast.audit_event (organization_id, user_id, action, subject)
    select organization_id, null, 'domains.domain.lapse', id from lapsed;
  get diagnostics lapses = row_count;
  return lapses;
end $$;

-- Some of the proved ones, for doctor, and how many there are. Who proved one a moment ago has not been visited yet.
create function domains.sample(most integer) returns table (name text, proved bigint)
  language plpgsql volatile security definer set search_path = '' as $$
begin
  perform domains.refuse_tenants();
  return query
    select domain.name, count(*) over () from domains.domain
    where domain.proved_at < now() - interval '10 minutes' and domain.missing_since is null
    order by random() limit most;
end $$;

revoke all on function domains.is_proved, domains.refuse_tenants, domains.due, domains.sample, domains.note_looks from public;
grant execute on function domains.is_proved, domains.due, domains.sample, domains.note_looks to ballast_app;
