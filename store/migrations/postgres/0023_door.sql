-- The provider's door: tokens for the provider's own systems, its own ids of things (`ref`), and the
-- order in which things changed.

-- A token is `lk_`, its prefix, `_` and its secret. The prefix is kept as it is, to find a leaked one
-- by; of the secret its SHA-256. scopes are their ids, separated by spaces. A token of an account sees
-- no other.
CREATE TABLE tokens (
    id UUID NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    prefix TEXT COLLATE "C" NOT NULL,
    secret_hash BYTEA NOT NULL,
    scopes TEXT NOT NULL,
    account_id UUID REFERENCES accounts (id),
    made_at BIGINT NOT NULL,
    until BIGINT,
    last_used_at BIGINT,
    revoked_at BIGINT
);
CREATE UNIQUE INDEX tokens_by_prefix ON tokens (prefix);

-- What was answered to a request that named itself, so that it is done once (Idempotency-Key). status
-- is NULL as long as it is under way.
CREATE TABLE door_answers (
    token_id UUID NOT NULL REFERENCES tokens (id) ON DELETE CASCADE,
    key TEXT COLLATE "C" NOT NULL,
    request_hash BYTEA NOT NULL,
    asked_at BIGINT NOT NULL,
    status BIGINT,
    headers TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (token_id, key)
);
CREATE INDEX door_answers_by_time ON door_answers (asked_at);

-- What was said in a support request.
CREATE TABLE support_messages (
    id UUID NOT NULL PRIMARY KEY,
    request_id UUID NOT NULL REFERENCES support_requests (id) ON DELETE CASCADE,
    by_provider BOOLEAN NOT NULL,
    author TEXT NOT NULL,
    words TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX support_messages_by_time ON support_messages (request_id, at, id);

-- The provider's own ids. None where something came about in another way.
ALTER TABLE accounts ADD COLUMN ref TEXT COLLATE "C";
ALTER TABLE services ADD COLUMN ref TEXT COLLATE "C";
ALTER TABLE domains ADD COLUMN ref TEXT COLLATE "C";
ALTER TABLE invoices ADD COLUMN ref TEXT COLLATE "C";
ALTER TABLE support_requests ADD COLUMN ref TEXT COLLATE "C";
ALTER TABLE support_messages ADD COLUMN ref TEXT COLLATE "C";
CREATE UNIQUE INDEX accounts_by_ref ON accounts (ref);
CREATE UNIQUE INDEX services_by_ref ON services (ref);
CREATE UNIQUE INDEX domains_by_ref ON domains (ref);
CREATE UNIQUE INDEX invoices_by_ref ON invoices (ref);
CREATE UNIQUE INDEX support_requests_by_ref ON support_requests (ref);
CREATE UNIQUE INDEX support_messages_by_ref ON support_messages (request_id, ref);

-- When things changed, in microseconds: the greatest number that was given, in the order in which
-- changes come to be seen. Whoever has read all up to a number misses none by reading on from there,
-- also of a transaction that was slow to commit: its number is given when it commits, and nobody
-- gets another before it has. All that it changed has the same.
CREATE TABLE changes (
    last BIGINT NOT NULL PRIMARY KEY
);
INSERT INTO changes (last) VALUES ((extract(epoch FROM clock_timestamp()) * 1000000)::BIGINT);

CREATE FUNCTION stamp_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    number BIGINT := nullif(current_setting('latchkey.change', TRUE), '')::BIGINT;
BEGIN
    IF number IS NULL THEN
        -- The last lock that a transaction takes.
        UPDATE changes
            SET last = greatest(last + 1, (extract(epoch FROM clock_timestamp()) * 1000000)::BIGINT)
            RETURNING last INTO number;
        PERFORM set_config('latchkey.change', number::TEXT, TRUE);
    END IF;
    EXECUTE format('UPDATE %I SET changed = $1 WHERE id = $2', TG_TABLE_NAME) USING number, NEW.id;
    RETURN NULL;
END
$$;

ALTER TABLE accounts ADD COLUMN changed BIGINT NOT NULL DEFAULT 0;
UPDATE accounts SET changed = (SELECT last FROM changes);
CREATE INDEX accounts_by_change ON accounts (changed, id);
CREATE CONSTRAINT TRIGGER accounts_are_stamped
    AFTER INSERT OR UPDATE OF ref, number, name, street, postal_code, town, country, time_zone
    ON accounts DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION stamp_change();

ALTER TABLE services ADD COLUMN changed BIGINT NOT NULL DEFAULT 0;
UPDATE services SET changed = (SELECT last FROM changes);
CREATE INDEX services_by_change ON services (changed, id);
CREATE INDEX services_of_account_by_change ON services (account_id, changed, id);
CREATE CONSTRAINT TRIGGER services_are_stamped
    AFTER INSERT OR UPDATE OF ref, account_id, name, plan, state, renews_at, login_name,
        login_password
    ON services DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION stamp_change();

ALTER TABLE domains ADD COLUMN changed BIGINT NOT NULL DEFAULT 0;
UPDATE domains SET changed = (SELECT last FROM changes);
CREATE INDEX domains_by_change ON domains (changed, id);
CREATE INDEX domains_of_account_by_change ON domains (account_id, changed, id);
CREATE CONSTRAINT TRIGGER domains_are_stamped
    AFTER INSERT OR UPDATE OF ref, account_id, name, state, expires_at, locked
    ON domains DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION stamp_change();

ALTER TABLE invoices ADD COLUMN changed BIGINT NOT NULL DEFAULT 0;
UPDATE invoices SET changed = (SELECT last FROM changes);
CREATE INDEX invoices_by_change ON invoices (changed, id);
CREATE INDEX invoices_of_account_by_change ON invoices (account_id, changed, id);
CREATE CONSTRAINT TRIGGER invoices_are_stamped
    AFTER INSERT OR UPDATE OF ref, account_id, number, issued_at, due_at, total_minor,
        currency, state
    ON invoices DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION stamp_change();

ALTER TABLE support_requests ADD COLUMN changed BIGINT NOT NULL DEFAULT 0;
UPDATE support_requests SET changed = (SELECT last FROM changes);
CREATE INDEX support_requests_by_change ON support_requests (changed, id);
CREATE INDEX support_requests_of_account_by_change ON support_requests (account_id, changed, id);
CREATE CONSTRAINT TRIGGER support_requests_are_stamped
    AFTER INSERT OR UPDATE OF ref, account_id, number, subject, state, opened_by, updated_at
    ON support_requests DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION stamp_change();

ALTER TABLE support_messages ADD COLUMN changed BIGINT NOT NULL DEFAULT 0;
UPDATE support_messages SET changed = (SELECT last FROM changes);
CREATE INDEX support_messages_by_change ON support_messages (changed, id);
CREATE CONSTRAINT TRIGGER support_messages_are_stamped
    AFTER INSERT OR UPDATE OF ref, request_id, by_provider, author, words, at
    ON support_messages DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION stamp_change();
