-- Grants: what a membership that is no owner's holds. A grant's permissions about services and domains
-- reach all of them, also those to come, or these that it names. From `until` on it opens nothing;
-- nothing but a clock makes that true, and the row stays. Why, by whom and when it was given is told
-- as it was.
CREATE TABLE grants (
    id UUID NOT NULL PRIMARY KEY,
    account_id UUID NOT NULL,
    user_id UUID NOT NULL,
    permissions TEXT NOT NULL,
    all_services BOOLEAN NOT NULL,
    all_domains BOOLEAN NOT NULL,
    until BIGINT,
    why TEXT NOT NULL,
    given_by UUID REFERENCES users (id) ON DELETE SET NULL,
    given_at BIGINT NOT NULL,
    FOREIGN KEY (account_id, user_id)
        REFERENCES memberships (account_id, user_id) ON DELETE CASCADE
);
-- Holds all that a request is checked by, so that many grants are soon read.
CREATE INDEX grants_by_member
    ON grants (account_id, user_id, until, all_services, all_domains, permissions, id);

-- A thing that is deleted leaves the reaches that name it.
CREATE TABLE grant_services (
    grant_id UUID NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    service_id UUID NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    PRIMARY KEY (grant_id, service_id)
);
CREATE INDEX grant_services_by_service ON grant_services (service_id, grant_id);
CREATE TABLE grant_domains (
    grant_id UUID NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    domain_id UUID NOT NULL REFERENCES domains (id) ON DELETE CASCADE,
    PRIMARY KEY (grant_id, domain_id)
);
CREATE INDEX grant_domains_by_domain ON grant_domains (domain_id, grant_id);

-- An invitation offers a grant.
ALTER TABLE invitations ADD COLUMN all_services BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE invitations ADD COLUMN all_domains BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE invitations ADD COLUMN until BIGINT;
ALTER TABLE invitations ADD COLUMN why TEXT NOT NULL DEFAULT '';
CREATE TABLE invitation_services (
    invitation_id UUID NOT NULL REFERENCES invitations (id) ON DELETE CASCADE,
    service_id UUID NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    PRIMARY KEY (invitation_id, service_id)
);
CREATE INDEX invitation_services_by_service ON invitation_services (service_id, invitation_id);
CREATE TABLE invitation_domains (
    invitation_id UUID NOT NULL REFERENCES invitations (id) ON DELETE CASCADE,
    domain_id UUID NOT NULL REFERENCES domains (id) ON DELETE CASCADE,
    PRIMARY KEY (invitation_id, domain_id)
);
CREATE INDEX invitation_domains_by_domain ON invitation_domains (domain_id, invitation_id);

-- So does a thing that moves to another account.
CREATE FUNCTION service_leaves_reaches() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM grant_services WHERE service_id = NEW.id;
    DELETE FROM invitation_services WHERE service_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER services_leave_reaches AFTER UPDATE OF account_id ON services
    FOR EACH ROW WHEN (OLD.account_id <> NEW.account_id)
    EXECUTE FUNCTION service_leaves_reaches();
CREATE FUNCTION domain_leaves_reaches() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM grant_domains WHERE domain_id = NEW.id;
    DELETE FROM invitation_domains WHERE domain_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER domains_leave_reaches AFTER UPDATE OF account_id ON domains
    FOR EACH ROW WHEN (OLD.account_id <> NEW.account_id)
    EXECUTE FUNCTION domain_leaves_reaches();

-- What everybody had so far is one grant each: on everything, without end.
INSERT INTO grants
    (id, account_id, user_id, permissions, all_services, all_domains, until, why, given_by, given_at)
SELECT gen_random_uuid(), account_id, user_id, permissions, TRUE, TRUE, NULL, '', invited_by, since
FROM memberships WHERE NOT owner;
ALTER TABLE memberships DROP COLUMN permissions;
