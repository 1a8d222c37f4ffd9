-- Changes of who owns an account: somebody is made an owner, or is handed the account by an owner who
-- becomes what they chose then: a user with these permissions, or nothing where `permissions` is null.
-- One is offered, waits from when it was accepted until `due_at`, and comes true then; nothing but a
-- clock makes that so, and whoever looks first writes it down. It ends with whoever it is about leaving
-- the account. Whoever made or stopped it is named as they were called then.
CREATE TABLE owner_changes (
    id BLOB NOT NULL PRIMARY KEY,
    account_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('made', 'handed', 'taken_over')),
    state TEXT NOT NULL
        CHECK (state IN ('offered', 'waiting', 'done', 'stopped', 'declined', 'lapsed')),
    made_by BLOB REFERENCES users (id) ON DELETE SET NULL,
    made_by_name TEXT NOT NULL,
    permissions TEXT,
    all_services INTEGER NOT NULL CHECK (all_services IN (0, 1)),
    all_domains INTEGER NOT NULL CHECK (all_domains IN (0, 1)),
    until INTEGER,
    why TEXT NOT NULL,
    asked_at INTEGER NOT NULL,
    accepted_at INTEGER,
    due_at INTEGER,
    over_at INTEGER,
    stopped_by TEXT,
    FOREIGN KEY (account_id, user_id)
        REFERENCES memberships (account_id, user_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX owner_changes_open
    ON owner_changes (account_id, user_id) WHERE state IN ('offered', 'waiting');
CREATE UNIQUE INDEX owner_changes_handed
    ON owner_changes (account_id, made_by)
    WHERE kind = 'handed' AND state IN ('offered', 'waiting');
CREATE INDEX owner_changes_by_member ON owner_changes (account_id, user_id, id);
CREATE INDEX owner_changes_by_maker ON owner_changes (made_by) WHERE made_by IS NOT NULL;
CREATE INDEX owner_changes_over ON owner_changes (over_at) WHERE over_at IS NOT NULL;

-- What the giver's permissions reach. A thing that is deleted, or moves to another account, leaves it.
CREATE TABLE owner_change_services (
    owner_change_id BLOB NOT NULL REFERENCES owner_changes (id) ON DELETE CASCADE,
    service_id BLOB NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    PRIMARY KEY (owner_change_id, service_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX owner_change_services_by_service
    ON owner_change_services (service_id, owner_change_id);
CREATE TABLE owner_change_domains (
    owner_change_id BLOB NOT NULL REFERENCES owner_changes (id) ON DELETE CASCADE,
    domain_id BLOB NOT NULL REFERENCES domains (id) ON DELETE CASCADE,
    PRIMARY KEY (owner_change_id, domain_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX owner_change_domains_by_domain
    ON owner_change_domains (domain_id, owner_change_id);
CREATE TRIGGER services_leave_owner_changes AFTER UPDATE OF account_id ON services
WHEN OLD.account_id <> NEW.account_id
BEGIN
    DELETE FROM owner_change_services WHERE service_id = NEW.id;
END;
CREATE TRIGGER domains_leave_owner_changes AFTER UPDATE OF account_id ON domains
WHEN OLD.account_id <> NEW.account_id
BEGIN
    DELETE FROM owner_change_domains WHERE domain_id = NEW.id;
END;

-- When the first of the changes that wait comes true: every request reads it with the membership.
ALTER TABLE accounts ADD COLUMN owners_due_at INTEGER;
CREATE INDEX accounts_by_owners_due ON accounts (owners_due_at) WHERE owners_due_at IS NOT NULL;

-- Whether who joins becomes an owner besides, once the waiting time is over.
ALTER TABLE invitations ADD COLUMN as_owner INTEGER NOT NULL DEFAULT 0 CHECK (as_owner IN (0, 1));
