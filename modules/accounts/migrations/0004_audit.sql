-- A person's own acts stand in the audit log of their personal organisation. Identity
-- writes no tenant's tables: it writes this one line, and nothing it could choose more of.
create function accounts.audit(person uuid, of_action text, of_subject text) returns void
  language sql security definer set search_path = '' as $$
  insert into ballast.audit_event (organization_id, user_id, action, subject)
  select home.id, person, of_action, of_subject
  from accounts.member join accounts.organization home on home.id = member.organization_id and home.personal
  where member.user_id = person and member.role = 'owner'
$$;
revoke all on function accounts.audit from public;
grant execute on function accounts.audit to ballast_auth;
