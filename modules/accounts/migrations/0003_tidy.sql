-- What the nightly jobs look for.
-- safe: written before the first release, the tables are empty then.
create index session_by_expiry on accounts.session (expires_at);
-- safe: written before the first release, the tables are empty then.
create index user_unconfirmed on accounts."user" (id) where not email_verified;

-- Whether anything but the traces of a sign-up belongs to this person or to their
-- personal organisation. Asks the catalogue and not a list of modules, so that what a
-- module adds tomorrow is found too: every table with an `organization_id`, and every
-- reference to a person or an organisation. Runs as the owner, whom no policy hides
-- rows from, and tells nothing but yes or no.
create function accounts.owns_anything(person uuid, home uuid) returns boolean
  language plpgsql stable security definer set search_path = '' as $$
declare
  place record;
  found_one boolean;
begin
  for place in
    select format('%I.%I', namespace.nspname, relation.relname) as name, attribute.attname as attribute,
           case when reference.confrelid = 'accounts."user"'::regclass then person else home end as owner
    from pg_class relation
    join pg_namespace namespace on namespace.oid = relation.relnamespace
    join pg_attribute attribute on attribute.attrelid = relation.oid and attribute.attnum > 0 and not attribute.attisdropped
    left join pg_constraint reference
      on reference.conrelid = relation.oid and reference.contype = 'f' and attribute.attnum = any(reference.conkey)
      and reference.confrelid in ('accounts."user"'::regclass, 'accounts.organization'::regclass)
    where relation.relkind in ('r', 'p') and not relation.relispartition
      and attribute.atttypid = 'uuid'::regtype
      and (reference.oid is not null or attribute.attname = 'organization_id')
      and relation.oid not in (
        'accounts.account'::regclass, 'accounts.session'::regclass, 'accounts.mail_request'::regclass,
        'accounts.sign_up_attempt'::regclass, 'accounts.member'::regclass
      )
  loop
    execute format('select exists (select 1 from %s where %I = $1)', place.name, place.attribute)
      into found_one using place.owner;
    if found_one then return true; end if;
  end loop;
  return false;
end $$;

revoke all on function accounts.owns_anything from public;
grant execute on function accounts.owns_anything to ballast_auth;
