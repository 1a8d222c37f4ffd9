-- Changes of who owns an account: somebody is made an owner, or is handed the account by an owner who
-- becomes what they chose then: a user with these permissions, or nothing where `permissions` is null.
-- One is offered, waits from when it was accepted until `due_at`, and comes true then; nothing but a
-- clock makes that so, and whoever looks first writes it down. It ends with whoever it is about leaving
-- the account. Whoever made or stopped it is named as they were called then.
CREATE TABLE owner_changes (
    id UUID NOT NULL PRIMARY KEY,
    account_id UUID NOT NULL,
    user_id UUID NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('made', 'handed', 'taken_over')),
    state TEXT NOT NULL
        CHECK (state IN ('offered', 'waiting', 'done', 'stopped', 'declined', 'lapsed')),
    made_by UUID REFERENCES users (id) ON DELETE SET NULL,
    made_by_name TEXT NOT NULL,
    permissions TEXT,
    all_services BOOLEAN NOT NULL,
    all_domains BOOLEAN NOT NULL,
    until BIGINT,
    why TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    accepted_at BIGINT,
    due_at BIGINT,
    over_at BIGINT,
    stopped_by TEXT,
    FOREIGN KEY (account_id, user_id)
        REFERENCES memberships (account_id, user_id) ON DELETE CASCADE
);
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
    owner_change_id UUID NOT NULL REFERENCES owner_changes (id) ON DELETE CASCADE,
    service_id UUID NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    PRIMARY KEY (owner_change_id, service_id)
);
CREATE INDEX owner_change_services_by_service
    ON owner_change_services (service_id, owner_change_id);
CREATE TABLE owner_change_domains (
    owner_change_id UUID NOT NULL REFERENCES owner_changes (id) ON DELETE CASCADE,
    domain_id UUID NOT NULL REFERENCES domains (id) ON DELETE CASCADE,
    PRIMARY KEY (owner_change_id, domain_id)
);
CREATE INDEX owner_change_domains_by_domain
    ON owner_change_domains (domain_id, owner_change_id);
CREATE FUNCTION service_leaves_owner_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM owner_change_services WHERE service_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER services_leave_owner_changes AFTER UPDATE OF account_id ON services
    FOR EACH ROW WHEN (OLD.account_id <> NEW.account_id)
    EXECUTE FUNCTION service_leaves_owner_changes();
CREATE FUNCTION domain_leaves_owner_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM owner_change_domains WHERE domain_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER domains_leave_owner_changes AFTER UPDATE OF account_id ON domains
    FOR EACH ROW WHEN (OLD.account_id <> NEW.account_id)
    EXECUTE FUNCTION domain_leaves_owner_changes();

-- When the first of the changes that wait comes true: every request reads it with the membership.
ALTER TABLE accounts ADD COLUMN owners_due_at BIGINT;
CREATE INDEX accounts_by_owners_due ON accounts (owners_due_at) WHERE owners_due_at IS NOT NULL;

-- Whether who joins becomes an owner besides, once the waiting time is over.
ALTER TABLE invitations ADD COLUMN as_owner BOOLEAN NOT NULL DEFAULT FALSE;
