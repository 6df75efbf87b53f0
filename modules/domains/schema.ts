import { pgSchema, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import { uuidv7 } from 'uuidv7';

const moment = (name: string) => timestamp(name, { withTimezone: true });

/** A name that an organisation claims, and since when it is proved. */
export const domain = pgSchema('domains').table('domain', {
  id: uuid('id').primaryKey().$defaultFn(uuidv7),
  organizationId: uuid('organization_id').notNull(),
  name: text('name').notNull(),
  token: text('token').notNull(),
  createdAt: moment('created_at').notNull().defaultNow(),
  /** Null until its record was found, and again when the record was gone for too long. */
  provedAt: moment('proved_at'),
  /** When its record was last looked for, by the schedule or by a person. */
  checkedAt: moment('checked_at'),
  /** Since when the record of a proved domain is not found. */
  missingSince: moment('missing_since'),
});
