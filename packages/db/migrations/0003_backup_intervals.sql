-- How old the service lets its backups and their proof become: doctor judges by the same numbers, and calls nothing old
-- that was meant to be.
alter table ballast.backup_state
  add column backup_every_hours double precision,
  add column drill_every_hours double precision;
