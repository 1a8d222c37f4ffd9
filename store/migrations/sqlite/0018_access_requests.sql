-- Requests: what somebody in an account asks to be given. A permission, on a service or domain or on
-- all, until a day or without end. It ends with whoever asks leaving the account, and with the thing.
-- `told` has the names of those who were told first, a line each. `words` are what was said to it when
-- it was declined.
CREATE TABLE access_requests (
    id BLOB NOT NULL PRIMARY KEY,
    account_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    permission TEXT NOT NULL,
    service_id BLOB REFERENCES services (id) ON DELETE CASCADE,
    domain_id BLOB REFERENCES domains (id) ON DELETE CASCADE,
    until INTEGER,
    why TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'given', 'declined', 'withdrawn')),
    words TEXT NOT NULL,
    told TEXT NOT NULL,
    asked_at INTEGER NOT NULL,
    answered_at INTEGER,
    answered_by BLOB REFERENCES users (id) ON DELETE SET NULL,
    FOREIGN KEY (account_id, user_id)
        REFERENCES memberships (account_id, user_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX access_requests_open
    ON access_requests (account_id, user_id, permission) WHERE state = 'open';
CREATE INDEX access_requests_by_member ON access_requests (account_id, user_id, id);
CREATE INDEX access_requests_answered
    ON access_requests (answered_at) WHERE answered_at IS NOT NULL;
CREATE INDEX access_requests_by_service
    ON access_requests (service_id) WHERE service_id IS NOT NULL;
CREATE INDEX access_requests_by_domain
    ON access_requests (domain_id) WHERE domain_id IS NOT NULL;

-- A thing that moves to another account takes no requests along.
CREATE TRIGGER services_leave_requests AFTER UPDATE OF account_id ON services
WHEN OLD.account_id <> NEW.account_id
BEGIN
    DELETE FROM access_requests WHERE service_id = NEW.id;
END;
CREATE TRIGGER domains_leave_requests AFTER UPDATE OF account_id ON domains
WHEN OLD.account_id <> NEW.account_id
BEGIN
    DELETE FROM access_requests WHERE domain_id = NEW.id;
END;
