import { sqlOf, type Tx } from './client.ts';

/** What an action did, written in its transaction: no effect without its line, no line without its effect. */
export interface AuditEvent {
  /** `module.noun.verb`, such as `support.request.create`. */
  action: string;
  /** The id of what was acted on. */
  subject: string;
}

/** Writes one line of the organisation's audit log. The app may insert and read its own tenant's lines, never change them. */
export async function audit(tx: Tx, event: AuditEvent): Promise<void> {
  await sqlOf(tx)`
    insert into ballast.audit_event (organization_id, user_id, action, subject)
    values (ballast.tenant_id(), ballast.user_id(), ${event.action}, ${event.subject})`;
}
