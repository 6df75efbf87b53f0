-- What is known of the backups, where `ballast doctor` and the system page can read it. Written by the service that
-- takes them, over Postgres' own socket; nobody else may.
create table ballast.backup_state (
  single boolean primary key default true check (single),
  -- When the service last looked. It looks once a minute: one that is silent for longer is gone.
  seen_at timestamptz not null,
  -- The newest base backup, and the newest that needs no other.
  backup text,
  backup_at timestamptz,
  full_at timestamptz,
  -- Everything that was committed before lies outside of this server.
  recovery_point timestamptz,
  -- Why the last attempt failed, until one succeeds.
  problem text
);

-- Restores that were tried on a server of their own. A row without an end is under way, or was interrupted.
create table ballast.restore_drill (
  id bigint generated always as identity primary key,
  started_at timestamptz not null default now(),
  ended_at timestamptz,
  proven boolean not null default false,
  -- What was not as it should be.
  problem text,
  backup text,
  -- The newest commit that came back, by the server's log.
  recovery_point timestamptz,
  tables integer,
  rows bigint
);

grant select on ballast.backup_state, ballast.restore_drill to ballast_app, ballast_dispatcher;
