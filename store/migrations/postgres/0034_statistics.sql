-- How many rows Postgres reckons an account with, from the next ANALYZE on, which it does by itself: one in a
-- thousand of all, in place of what accounts have on average. Statements are planned for any account. On average one
-- has two users, and to go through those costs as little as to look one up; where an account has ten thousand, that
-- took fifteen milliseconds instead of a tenth of one. Somebody's accounts and a grant's things are few on average, too.
ALTER TABLE access_requests ALTER COLUMN account_id SET (n_distinct = -0.001);
ALTER TABLE activity ALTER COLUMN account_id SET (n_distinct = -0.001);
ALTER TABLE domains ALTER COLUMN account_id SET (n_distinct = -0.001);
ALTER TABLE grants ALTER COLUMN account_id SET (n_distinct = -0.001);
ALTER TABLE invitations ALTER COLUMN account_id SET (n_distinct = -0.001);
ALTER TABLE invoices ALTER COLUMN account_id SET (n_distinct = -0.001);
ALTER TABLE membership_words ALTER COLUMN account_id SET (n_distinct = -0.001);
ALTER TABLE memberships ALTER COLUMN account_id SET (n_distinct = -0.001);
ALTER TABLE owner_changes ALTER COLUMN account_id SET (n_distinct = -0.001);
ALTER TABLE services ALTER COLUMN account_id SET (n_distinct = -0.001);
ALTER TABLE support_requests ALTER COLUMN account_id SET (n_distinct = -0.001);
ALTER TABLE memberships ALTER COLUMN user_id SET (n_distinct = -0.01);
ALTER TABLE grant_services ALTER COLUMN grant_id SET (n_distinct = -0.01);
ALTER TABLE grant_domains ALTER COLUMN grant_id SET (n_distinct = -0.01);
