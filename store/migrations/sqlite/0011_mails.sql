-- Fair order, and mails gathered into one. sender is the account whose doing a mail is, or else its
-- recipient; lag is how far, in microseconds, it stands behind its sender's earlier mails, so that
-- whoever causes many waits behind those who cause few. topic is what a mail is about, where several
-- about the same become one.
ALTER TABLE outbox ADD COLUMN sender TEXT NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN lag INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN topic TEXT;
DROP INDEX outbox_due;
CREATE INDEX outbox_due ON outbox ((due_at + lag), id) WHERE state = 'queued';
CREATE INDEX outbox_by_sender ON outbox (sender, (due_at + lag)) WHERE state = 'queued';
CREATE INDEX outbox_by_topic ON outbox (email_key, topic, id) WHERE topic IS NOT NULL;
