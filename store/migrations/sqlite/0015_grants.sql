-- Grants: what a membership that is no owner's holds. A grant's permissions about services and domains
-- reach all of them, also those to come, or these that it names. From `until` on it opens nothing;
-- nothing but a clock makes that true, and the row stays. Why, by whom and when it was given is told
-- as it was.
CREATE TABLE grants (
    id BLOB NOT NULL PRIMARY KEY,
    account_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    permissions TEXT NOT NULL,
    all_services INTEGER NOT NULL CHECK (all_services IN (0, 1)),
    all_domains INTEGER NOT NULL CHECK (all_domains IN (0, 1)),
    until INTEGER,
    why TEXT NOT NULL,
    given_by BLOB REFERENCES users (id) ON DELETE SET NULL,
    given_at INTEGER NOT NULL,
    FOREIGN KEY (account_id, user_id)
        REFERENCES memberships (account_id, user_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
-- Holds all that a request is checked by, so that many grants are soon read.
CREATE INDEX grants_by_member
    ON grants (account_id, user_id, until, all_services, all_domains, permissions, id);

-- A thing that is deleted leaves the reaches that name it.
CREATE TABLE grant_services (
    grant_id BLOB NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    service_id BLOB NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    PRIMARY KEY (grant_id, service_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX grant_services_by_service ON grant_services (service_id, grant_id);
CREATE TABLE grant_domains (
    grant_id BLOB NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    domain_id BLOB NOT NULL REFERENCES domains (id) ON DELETE CASCADE,
    PRIMARY KEY (grant_id, domain_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX grant_domains_by_domain ON grant_domains (domain_id, grant_id);

-- An invitation offers a grant.
ALTER TABLE invitations ADD COLUMN all_services INTEGER NOT NULL DEFAULT 1
    CHECK (all_services IN (0, 1));
ALTER TABLE invitations ADD COLUMN all_domains INTEGER NOT NULL DEFAULT 1
    CHECK (all_domains IN (0, 1));
ALTER TABLE invitations ADD COLUMN until INTEGER;
ALTER TABLE invitations ADD COLUMN why TEXT NOT NULL DEFAULT '';
CREATE TABLE invitation_services (
    invitation_id BLOB NOT NULL REFERENCES invitations (id) ON DELETE CASCADE,
    service_id BLOB NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    PRIMARY KEY (invitation_id, service_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX invitation_services_by_service ON invitation_services (service_id, invitation_id);
CREATE TABLE invitation_domains (
    invitation_id BLOB NOT NULL REFERENCES invitations (id) ON DELETE CASCADE,
    domain_id BLOB NOT NULL REFERENCES domains (id) ON DELETE CASCADE,
    PRIMARY KEY (invitation_id, domain_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX invitation_domains_by_domain ON invitation_domains (domain_id, invitation_id);

-- So does a thing that moves to another account.
CREATE TRIGGER services_leave_reaches AFTER UPDATE OF account_id ON services
WHEN OLD.account_id <> NEW.account_id
BEGIN
    DELETE FROM grant_services WHERE service_id = NEW.id;
    DELETE FROM invitation_services WHERE service_id = NEW.id;
END;
CREATE TRIGGER domains_leave_reaches AFTER UPDATE OF account_id ON domains
WHEN OLD.account_id <> NEW.account_id
BEGIN
    DELETE FROM grant_domains WHERE domain_id = NEW.id;
    DELETE FROM invitation_domains WHERE domain_id = NEW.id;
END;

-- What everybody had so far is one grant each: on everything, without end.
INSERT INTO grants
    (id, account_id, user_id, permissions, all_services, all_domains, until, why, given_by, given_at)
SELECT randomblob(16), account_id, user_id, permissions, 1, 1, NULL, '', invited_by, since
FROM memberships WHERE NOT owner;
ALTER TABLE memberships DROP COLUMN permissions;
