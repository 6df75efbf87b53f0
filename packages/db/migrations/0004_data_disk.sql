-- The room on the disk of Postgres' data, which the service of backups sees and nobody else does who may be asked: doctor
-- warns before it is full, and no statement can tell.
alter table ballast.backup_state
  add column data_free_bytes bigint,
  add column data_bytes bigint;
