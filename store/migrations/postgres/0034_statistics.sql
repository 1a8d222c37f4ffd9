-- With how many rows Postgres reckons an account: a thousand, in place of what accounts have on average. Statements are
-- planned for any account. On average one has two users, and to go through those costs as little as to look one up;
-- where an account has ten thousand, that took fifteen milliseconds instead of a tenth of one. Somebody's accounts and a
-- grant's things are few on average, too: it reckons with a hundred.
ALTER TABLE access_requests ALTER COLUMN account_id SET (n_distinct = -0.001);
ALTER TABLE activity ALTER COLUMN account_id SET (n_distinct = -0.001);
ALTER TABLE domains ALTER COLUMN account_id SET (n_distinct = -0.001);
ALTER TABLE grants ALTER COLUMN account_id SET (n_distinct = -0.001);
ALTER TABLE identities ALTER COLUMN account_id SET (n_distinct = -0.001);
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

-- What was there before is counted anew at once.
ANALYZE access_requests, activity, domains, grant_domains, grant_services, grants, identities, invitations,
    invoices, membership_words, memberships, owner_changes, services, support_requests;
