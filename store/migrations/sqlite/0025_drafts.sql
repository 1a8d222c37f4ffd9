-- Drafts: what a form would give that isn't sent, to see the account with it. They are no grants, and
-- open nothing but through the eyes that have them. `changes` is the grant in whose place it would
-- come; `page` is where the form is, and `typed` all that was typed into it, to be typed no second
-- time. A session keeps its newest.
CREATE TABLE drafts (
    id BLOB NOT NULL PRIMARY KEY,
    session_id BLOB NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    account_id BLOB NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    changes BLOB,
    permissions TEXT NOT NULL,
    all_services INTEGER NOT NULL CHECK (all_services IN (0, 1)),
    all_domains INTEGER NOT NULL CHECK (all_domains IN (0, 1)),
    until INTEGER,
    page TEXT NOT NULL,
    typed TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX drafts_by_session ON drafts (session_id);
CREATE INDEX drafts_by_account ON drafts (account_id);
CREATE INDEX drafts_by_end ON drafts (expires_at);

-- A thing that is deleted, or moves to another account, leaves the drafts that name it.
CREATE TABLE draft_services (
    draft_id BLOB NOT NULL REFERENCES drafts (id) ON DELETE CASCADE,
    service_id BLOB NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    PRIMARY KEY (draft_id, service_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX draft_services_by_service ON draft_services (service_id, draft_id);
CREATE TABLE draft_domains (
    draft_id BLOB NOT NULL REFERENCES drafts (id) ON DELETE CASCADE,
    domain_id BLOB NOT NULL REFERENCES domains (id) ON DELETE CASCADE,
    PRIMARY KEY (draft_id, domain_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX draft_domains_by_domain ON draft_domains (domain_id, draft_id);
CREATE TRIGGER services_leave_drafts AFTER UPDATE OF account_id ON services
WHEN OLD.account_id <> NEW.account_id
BEGIN
    DELETE FROM draft_services WHERE service_id = NEW.id;
END;
CREATE TRIGGER domains_leave_drafts AFTER UPDATE OF account_id ON domains
WHEN OLD.account_id <> NEW.account_id
BEGIN
    DELETE FROM draft_domains WHERE domain_id = NEW.id;
END;

-- Eyes are somebody's, or with a draft alone somebody new's. Looks last half an hour; those that are
-- under way begin anew.
DROP TABLE eyes;
CREATE TABLE eyes (
    session_id BLOB NOT NULL PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
    token_hash BLOB NOT NULL,
    account_id BLOB NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    user_id BLOB,
    draft_id BLOB REFERENCES drafts (id) ON DELETE CASCADE,
    expires_at INTEGER NOT NULL,
    CHECK (user_id IS NOT NULL OR draft_id IS NOT NULL),
    FOREIGN KEY (account_id, user_id)
        REFERENCES memberships (account_id, user_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX eyes_by_member ON eyes (account_id, user_id);
CREATE INDEX eyes_by_draft ON eyes (draft_id);
CREATE INDEX eyes_by_end ON eyes (expires_at);
