-- Requests: what somebody in an account asks to be given. A permission, on a service or domain or on
-- all, until a day or without end. It ends with whoever asks leaving the account, and with the thing.
-- `told` has the names of those who were told first, a line each. `words` are what was said to it when
-- it was declined.
CREATE TABLE access_requests (
    id UUID NOT NULL PRIMARY KEY,
    account_id UUID NOT NULL,
    user_id UUID NOT NULL,
    permission TEXT NOT NULL,
    service_id UUID REFERENCES services (id) ON DELETE CASCADE,
    domain_id UUID REFERENCES domains (id) ON DELETE CASCADE,
    until BIGINT,
    why TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'given', 'declined', 'withdrawn')),
    words TEXT NOT NULL,
    told TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    answered_at BIGINT,
    answered_by UUID REFERENCES users (id) ON DELETE SET NULL,
    FOREIGN KEY (account_id, user_id)
        REFERENCES memberships (account_id, user_id) ON DELETE CASCADE
);
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
CREATE FUNCTION service_leaves_requests() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM access_requests WHERE service_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER services_leave_requests AFTER UPDATE OF account_id ON services
    FOR EACH ROW WHEN (OLD.account_id <> NEW.account_id)
    EXECUTE FUNCTION service_leaves_requests();
CREATE FUNCTION domain_leaves_requests() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM access_requests WHERE domain_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER domains_leave_requests AFTER UPDATE OF account_id ON domains
    FOR EACH ROW WHEN (OLD.account_id <> NEW.account_id)
    EXECUTE FUNCTION domain_leaves_requests();
