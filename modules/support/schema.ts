import { pgSchema, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import { uuidv7 } from 'uuidv7';

const moment = (name: string) => timestamp(name, { withTimezone: true });

/** What an organisation asked. The id is a UUIDv7: its order is the order of time, so it is the cursor too. */
export const request = pgSchema('support').table('request', {
  id: uuid('id').primaryKey().$defaultFn(uuidv7),
  organizationId: uuid('organization_id').notNull(),
  userId: uuid('user_id').notNull(),
  authorName: text('author_name').notNull(),
  authorEmail: text('author_email').notNull(),
  subject: text('subject').notNull(),
  body: text('body').notNull(),
  state: text('state', { enum: ['open', 'delivered'] })
    .notNull()
    .default('open'),
  createdAt: moment('created_at').notNull().defaultNow(),
  deliveredAt: moment('delivered_at'),
});
