-- The provider's door: tokens for the provider's own systems, its own ids of things (`ref`), and the
-- order in which things changed.

-- A token is `lk_`, its prefix, `_` and its secret. The prefix is kept as it is, to find a leaked one
-- by; of the secret its SHA-256. scopes are their ids, separated by spaces. A token of an account sees
-- no other.
CREATE TABLE tokens (
    id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    secret_hash BLOB NOT NULL,
    scopes TEXT NOT NULL,
    account_id BLOB REFERENCES accounts (id),
    made_at INTEGER NOT NULL,
    until INTEGER,
    last_used_at INTEGER,
    revoked_at INTEGER
) STRICT;
CREATE UNIQUE INDEX tokens_by_prefix ON tokens (prefix);

-- What was answered to a request that named itself, so that it is done once (Idempotency-Key). status
-- is NULL as long as it is under way.
CREATE TABLE door_answers (
    token_id BLOB NOT NULL REFERENCES tokens (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    request_hash BLOB NOT NULL,
    asked_at INTEGER NOT NULL,
    status INTEGER,
    headers TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (token_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX door_answers_by_time ON door_answers (asked_at);

-- What was said in a support request.
CREATE TABLE support_messages (
    id BLOB NOT NULL PRIMARY KEY,
    request_id BLOB NOT NULL REFERENCES support_requests (id) ON DELETE CASCADE,
    by_provider INTEGER NOT NULL CHECK (by_provider IN (0, 1)),
    author TEXT NOT NULL,
    words TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX support_messages_by_time ON support_messages (request_id, at, id);

-- The provider's own ids. None where something came about in another way.
ALTER TABLE accounts ADD COLUMN ref TEXT;
ALTER TABLE services ADD COLUMN ref TEXT;
ALTER TABLE domains ADD COLUMN ref TEXT;
ALTER TABLE invoices ADD COLUMN ref TEXT;
ALTER TABLE support_requests ADD COLUMN ref TEXT;
ALTER TABLE support_messages ADD COLUMN ref TEXT;
CREATE UNIQUE INDEX accounts_by_ref ON accounts (ref);
CREATE UNIQUE INDEX services_by_ref ON services (ref);
CREATE UNIQUE INDEX domains_by_ref ON domains (ref);
CREATE UNIQUE INDEX invoices_by_ref ON invoices (ref);
CREATE UNIQUE INDEX support_requests_by_ref ON support_requests (ref);
CREATE UNIQUE INDEX support_messages_by_ref ON support_messages (request_id, ref);

-- When things changed, in microseconds: the greatest number that was given, in the order in which
-- changes come to be seen. Whoever has read all up to a number misses none by reading on from there.
-- SQLite's one writer makes it so.
CREATE TABLE changes (
    last INTEGER NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;
INSERT INTO changes (last) VALUES (CAST(unixepoch('subsec') * 1000000 AS INTEGER));

ALTER TABLE accounts ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
UPDATE accounts SET changed = (SELECT last FROM changes);
CREATE INDEX accounts_by_change ON accounts (changed, id);
CREATE TRIGGER accounts_are_stamped_when_added AFTER INSERT ON accounts
BEGIN
    UPDATE changes
        SET last = max(last + 1, CAST(unixepoch('subsec') * 1000000 AS INTEGER));
    UPDATE accounts SET changed = (SELECT last FROM changes) WHERE id = NEW.id;
END;
CREATE TRIGGER accounts_are_stamped AFTER UPDATE
    OF ref, number, name, street, postal_code, town, country, time_zone ON accounts
BEGIN
    UPDATE changes
        SET last = max(last + 1, CAST(unixepoch('subsec') * 1000000 AS INTEGER));
    UPDATE accounts SET changed = (SELECT last FROM changes) WHERE id = NEW.id;
END;

ALTER TABLE services ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
UPDATE services SET changed = (SELECT last FROM changes);
CREATE INDEX services_by_change ON services (changed, id);
CREATE INDEX services_of_account_by_change ON services (account_id, changed, id);
CREATE TRIGGER services_are_stamped_when_added AFTER INSERT ON services
BEGIN
    UPDATE changes
        SET last = max(last + 1, CAST(unixepoch('subsec') * 1000000 AS INTEGER));
    UPDATE services SET changed = (SELECT last FROM changes) WHERE id = NEW.id;
END;
CREATE TRIGGER services_are_stamped AFTER UPDATE
    OF ref, account_id, name, plan, state, renews_at, login_name, login_password ON services
BEGIN
    UPDATE changes
        SET last = max(last + 1, CAST(unixepoch('subsec') * 1000000 AS INTEGER));
    UPDATE services SET changed = (SELECT last FROM changes) WHERE id = NEW.id;
END;

ALTER TABLE domains ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
UPDATE domains SET changed = (SELECT last FROM changes);
CREATE INDEX domains_by_change ON domains (changed, id);
CREATE INDEX domains_of_account_by_change ON domains (account_id, changed, id);
CREATE TRIGGER domains_are_stamped_when_added AFTER INSERT ON domains
BEGIN
    UPDATE changes
        SET last = max(last + 1, CAST(unixepoch('subsec') * 1000000 AS INTEGER));
    UPDATE domains SET changed = (SELECT last FROM changes) WHERE id = NEW.id;
END;
CREATE TRIGGER domains_are_stamped AFTER UPDATE
    OF ref, account_id, name, state, expires_at, locked ON domains
BEGIN
    UPDATE changes
        SET last = max(last + 1, CAST(unixepoch('subsec') * 1000000 AS INTEGER));
    UPDATE domains SET changed = (SELECT last FROM changes) WHERE id = NEW.id;
END;

ALTER TABLE invoices ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
UPDATE invoices SET changed = (SELECT last FROM changes);
CREATE INDEX invoices_by_change ON invoices (changed, id);
CREATE INDEX invoices_of_account_by_change ON invoices (account_id, changed, id);
CREATE TRIGGER invoices_are_stamped_when_added AFTER INSERT ON invoices
BEGIN
    UPDATE changes
        SET last = max(last + 1, CAST(unixepoch('subsec') * 1000000 AS INTEGER));
    UPDATE invoices SET changed = (SELECT last FROM changes) WHERE id = NEW.id;
END;
CREATE TRIGGER invoices_are_stamped AFTER UPDATE
    OF ref, account_id, number, issued_at, due_at, total_minor, currency, state ON invoices
BEGIN
    UPDATE changes
        SET last = max(last + 1, CAST(unixepoch('subsec') * 1000000 AS INTEGER));
    UPDATE invoices SET changed = (SELECT last FROM changes) WHERE id = NEW.id;
END;

ALTER TABLE support_requests ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
UPDATE support_requests SET changed = (SELECT last FROM changes);
CREATE INDEX support_requests_by_change ON support_requests (changed, id);
CREATE INDEX support_requests_of_account_by_change ON support_requests (account_id, changed, id);
CREATE TRIGGER support_requests_are_stamped_when_added AFTER INSERT ON support_requests
BEGIN
    UPDATE changes
        SET last = max(last + 1, CAST(unixepoch('subsec') * 1000000 AS INTEGER));
    UPDATE support_requests SET changed = (SELECT last FROM changes) WHERE id = NEW.id;
END;
CREATE TRIGGER support_requests_are_stamped AFTER UPDATE
    OF ref, account_id, number, subject, state, opened_by, updated_at ON support_requests
BEGIN
    UPDATE changes
        SET last = max(last + 1, CAST(unixepoch('subsec') * 1000000 AS INTEGER));
    UPDATE support_requests SET changed = (SELECT last FROM changes) WHERE id = NEW.id;
END;

ALTER TABLE support_messages ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
UPDATE support_messages SET changed = (SELECT last FROM changes);
CREATE INDEX support_messages_by_change ON support_messages (changed, id);
CREATE TRIGGER support_messages_are_stamped_when_added AFTER INSERT ON support_messages
BEGIN
    UPDATE changes
        SET last = max(last + 1, CAST(unixepoch('subsec') * 1000000 AS INTEGER));
    UPDATE support_messages SET changed = (SELECT last FROM changes) WHERE id = NEW.id;
END;
CREATE TRIGGER support_messages_are_stamped AFTER UPDATE
    OF ref, request_id, by_provider, author, words, at ON support_messages
BEGIN
    UPDATE changes
        SET last = max(last + 1, CAST(unixepoch('subsec') * 1000000 AS INTEGER));
    UPDATE support_messages SET changed = (SELECT last FROM changes) WHERE id = NEW.id;
END;
